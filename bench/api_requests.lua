-- Sends the requests of a file in order, each as it stands, and says at the end what came back.
-- wrk -s api_requests.lua … -- FILE: the requests are separated by the character 30.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  requests, sent, counts, first_other = {}, 0, {}, ""
  local file = assert(io.open(arguments[1], "rb"))
  for each in file:read("*a"):gmatch("[^\30]+") do
    requests[#requests + 1] = each
  end
  file:close()
  created, repeated, other = 0, 0, 0
end

function request()
  sent = sent + 1
  if sent >= #requests then
    wrk.thread:stop()
  end
  return requests[math.min(sent, #requests)]
end

function response(status, headers, body)
  if status == 201 then
    created = created + 1
  elseif status == 200 then
    repeated = repeated + 1
  else
    other = other + 1
    if first_other == "" then
      first_other = status .. " " .. body:gsub("[^%w ,.:{}_-]", ""):sub(1, 200)
    end
  end
end

function done(summary, latency, _)
  local thread = threads[1]
  io.write(string.format(
    'SUMMARY {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "created": %d, "ok": %d, "other": %d, "lost": %d, "first_other": "%s"}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    thread:get("created"), thread:get("repeated"), thread:get("other"),
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    thread:get("first_other")))
end
