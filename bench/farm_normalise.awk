# Turns "topic {json}" of a telemetry frame into rows "channel<TAB>moment<TAB>value" for COPY.
# The first file names the channels: "node/code number". Knows the bench's frames only.
NR == FNR { number[$1] = $2; next }
{
  split($1, part, "/")
  node = part[4]
  text = $2
  match(text, /"t":[0-9]+/); ms = substr(text, RSTART + 4, RLENGTH - 4)
  moment = strftime("%Y-%m-%d %H:%M:%S", ms / 1000, 1) sprintf(".%03d+00", ms % 1000)
  match(text, /"m":\{[^}]*/)
  pairs = split(substr(text, RSTART + 5, RLENGTH - 5), pair, ",")
  for (place = 1; place <= pairs; place++) {
    split(pair[place], half, ":")
    gsub(/"/, "", half[1])
    print number[node "/" half[1]] "\t" moment "\t" half[2]
  }
}
