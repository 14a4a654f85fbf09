// Draws a channel's chart with uPlot over the picture that came with the page, and keeps it fresh.

const place = document.getElementById("chart");
const style = (name) => getComputedStyle(place).getPropertyValue(name).trim();
const HEIGHT = 280;
const AGAIN_AFTER = 60_000;
const TIMES = [
  [86400 * 7, "{DD}/{MM}", null, null, null, null, null, null, 1],
  [86400, "{DD}/{MM}", null, null, null, null, null, null, 1],
  [3600, "{HH}:00", "\n{DD}/{MM}", null, "\n{DD}/{MM}", null, null, null, 1],
  [60, "{HH}:{mm}", "\n{DD}/{MM}", null, "\n{DD}/{MM}", null, null, null, 1],
];
let plot;
let version = "";

// What the crop wants lies behind the line; what ran stands as a strip at the foot.
function behind(found) {
  return (u) => {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const right = left + width;
    const inside = (x) => Math.min(Math.max(x, left), right);
    ctx.save();
    ctx.fillStyle = style("--chart-band");
    for (const [begins, ends, low, high] of found.bands) {
      const from = inside(u.valToPos(begins, "x", true));
      const until = inside(u.valToPos(ends, "x", true));
      const upper = high === null ? top : Math.max(u.valToPos(high, "y", true), top);
      const lower = low === null ? top + height : Math.min(u.valToPos(low, "y", true), top + height);
      if (lower > upper) ctx.fillRect(from, upper, until - from, lower - upper);
    }
    ctx.fillStyle = style("--chart-run");
    const strip = 8 * devicePixelRatio;
    for (const [begins, ends] of found.runs) {
      const from = inside(u.valToPos(begins, "x", true));
      const until = inside(u.valToPos(ends, "x", true));
      ctx.fillRect(from, top + height - strip, Math.max(until - from, 2 * devicePixelRatio), strip);
    }
    ctx.restore();
  };
}

function bounds(found) {
  return (_u, low, high) => {
    const edges = found.bands.flatMap((band) => [band[2], band[3]]).filter((edge) => edge !== null);
    const from = Math.min(low ?? Infinity, ...edges);
    const until = Math.max(high ?? -Infinity, ...edges);
    if (!Number.isFinite(from) || !Number.isFinite(until)) return [0, 1];
    const margin = (until - from) * 0.08 || 0.5;
    return [from - margin, until + margin];
  };
}

// Nobody points at a moment yet: the figures below are those of the newest one.
function tellLast(u) {
  if (Number.isInteger(u.cursor.idx)) return;
  const idx = u.data[1].findLastIndex((each) => each !== null);
  if (idx >= 0) u.setLegend({ idx });
}

function draw(found) {
  const { uPlot } = window;
  const figure = new Intl.NumberFormat(document.documentElement.lang, {
    minimumFractionDigits: found.decimals, maximumFractionDigits: found.decimals,
  });
  const value = (_u, number) => (number === null || number === undefined ? "–" : `${figure.format(number)} ${found.unit}`);
  const axis = { stroke: style("--soft"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line") } };
  const options = {
    width: place.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Asia/Ho_Chi_Minh"),
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { range: [found.begins, found.ends] }, y: { range: bounds(found) } },
    axes: [
      { ...axis, values: TIMES },
      { ...axis, size: 60, values: (_u, splits) => splits.map((split) => figure.format(split)) },
    ],
    bands: [{ series: [3, 2], fill: style("--chart-range") }],
    series: [
      { label: place.dataset.time, value: "{HH}:{mm} {DD}/{MM}" },
      { label: place.dataset.mean, stroke: style("--chart-line"), width: 2, spanGaps: false, value },
      { label: place.dataset.low, stroke: "transparent", points: { show: false }, spanGaps: false, value },
      { label: place.dataset.high, stroke: "transparent", points: { show: false }, spanGaps: false, value },
    ],
    hooks: { drawClear: [behind(found)], ready: [(u) => tellLast(u)], setCursor: [(u) => tellLast(u)] },
  };
  place.replaceChildren();
  plot = new uPlot(options, [found.t, found.mean, found.low, found.high], place);
}

let latest;
async function look() {
  const answer = await fetch(place.dataset.chart, { headers: version ? { "If-None-Match": version } : {} }).catch(() => null);
  if (!answer || answer.status !== 200) return;
  if (!answer.headers.get("Content-Type")?.startsWith("application/json")) return;
  version = answer.headers.get("ETag") ?? "";
  latest = await answer.json();
  if (latest.mean.some((each) => each !== null)) draw(latest);
}

function again() {
  if (latest && plot) draw(latest);
}

addEventListener("resize", () => plot?.setSize({ width: place.clientWidth, height: HEIGHT }));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
setInterval(() => { if (!document.hidden) look(); }, AGAIN_AFTER);
look();
