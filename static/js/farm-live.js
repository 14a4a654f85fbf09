// Keeps an open page of the greenhouse honest: asks only for what is new, says what changed, and
// says so when nothing was heard. Without this file the page shows what it showed when it came.

const SILENT_AFTER = 30_000;
const ANSWERED_WITHIN = 15_000;
// A proxy that refuses every poll must not make the page reload for ever.
const RELOADED_AT_MOST_EVERY = 60_000;
let heardAt = Date.now();
let toldBefore = "";
let pressedIn = "";
let toldAt = null;

const live = () => document.getElementById("live");
const isPoll = (event) => event.target.id === "live" && event.detail.requestConfig?.verb === "get";

function showLoss(isLost) {
  const note = document.getElementById("lost");
  if (!note || !live()) return;
  note.hidden = !isLost;
  live().classList.toggle("is-lost", isLost);
  const clock = new Date(heardAt).toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
  note.querySelector("[data-since]").textContent = clock;
}

// A phone's clock may be wrong: ages are counted by the server's.
const lost = document.getElementById("lost");
const clockBehind = Date.parse(lost.dataset.now) - Date.now();
const ago = new Intl.RelativeTimeFormat(document.documentElement.lang);
const UNITS = [[86_400, "day"], [3_600, "hour"], [60, "minute"], [10, "second"]];

// Water that was stopped still shows its last flow: below a minute the age goes on in steps of ten seconds.
function ageWords(moment) {
  const seconds = (Date.now() + clockBehind - Date.parse(moment)) / 1000;
  const fits = UNITS.find(([size]) => seconds >= size);
  if (!fits) return lost.dataset.justNow;
  const [size, unit] = fits;
  const count = Math.floor(seconds / size);
  return ago.format(unit === "second" ? -count * size : -count, unit);
}

function showAges() {
  for (const time of document.querySelectorAll("time[data-age]")) time.textContent = ageWords(time.dateTime);
}

function heard() {
  heardAt = Date.now();
  showLoss(false);
}

// Only a new step is told; a countdown read aloud every two seconds helps nobody.
function tell() {
  const told = [...document.querySelectorAll("[data-told]")].map((each) => each.dataset.told).join(". ");
  const steps = told.replace(/[\d:]+/g, "");
  if (steps === toldBefore) return;
  toldBefore = steps;
  document.getElementById("told").textContent = told;
}

document.addEventListener("htmx:configRequest", (event) => {
  const version = event.target.dataset?.etag;
  if (version && event.detail.verb === "get") event.detail.headers["If-None-Match"] = version;
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && isPoll(event)) event.preventDefault();
  if (event.detail.requestConfig?.verb === "post") {
    pressedIn = event.target.closest("section[id]")?.id ?? "";
    toldAt = null;
  }
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400) heard();
  if (event.detail.xhr.status === 304) event.detail.shouldSwap = false;
});
// What became of a tap must not lie under the bar that comes with it.
function showSteps() {
  if (pressedIn) document.getElementById(pressedIn)?.querySelector(".command")?.scrollIntoView({ block: "nearest" });
  pressedIn = "";
}
document.addEventListener("htmx:afterSwap", () => {
  showAges();
  tellAgain();
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.requestConfig?.verb === "post") showSteps();
  document.querySelector(".messages .error")?.scrollIntoView({ block: "center" });
  tell();
});
// Whoever has pressed looks at the button, and not at the top of a long page.
function tellAtButton(form, template) {
  form.querySelector(".unsent")?.remove();
  form.append(document.getElementById(template).content.cloneNode(true));
  form.querySelector(".unsent").scrollIntoView({ block: "nearest" });
  toldAt = { action: form.getAttribute("action"), template };
}

// A poll brings the button anew, and what was said at it stands until the next press.
function tellAgain() {
  if (!toldAt || document.querySelector("form > .unsent")) return;
  // Of two buttons that do the same the last one is in the bar, in sight.
  const form = [...document.querySelectorAll("form")].findLast((each) => each.getAttribute("action") === toldAt.action);
  if (form) tellAtButton(form, toldAt.template);
  else toldAt = null;
}

// The server has said no: the page itself says better why (the session has ended, the token is old).
// Of a tap it says nothing, so the fresh page is told of it.
function reloadAfterRefusal(form) {
  if (form) sessionStorage.setItem("farm-refused-tap", form.getAttribute("action"));
  else if (Date.now() - Number(sessionStorage.getItem("farm-reloaded-at")) < RELOADED_AT_MOST_EVERY) return false;
  else sessionStorage.setItem("farm-reloaded-at", String(Date.now()));
  window.location.reload();
  return true;
}

function tellRefusedTap() {
  const action = sessionStorage.getItem("farm-refused-tap");
  sessionStorage.removeItem("farm-refused-tap");
  if (action) toldAt = { action, template: "refused" };
  tellAgain();
}

for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const status = event.detail.xhr?.status ?? 0;
    const tapped = event.detail.requestConfig?.verb === "post" ? event.detail.elt : null;
    if (status >= 400 && status < 500 && reloadAfterRefusal(tapped)) return;
    showLoss(true);
    // Only what could not be sent has surely not arrived.
    if (tapped) tellAtButton(tapped, name === "htmx:sendError" ? "unsent" : "unanswered");
  });
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) live()?.dispatchEvent(new Event("look-again"));
});
setInterval(() => {
  showAges();
  if (!document.hidden && Date.now() - heardAt > SILENT_AFTER) showLoss(true);
}, 5_000);
window.htmx.config.timeout = ANSWERED_WITHIN;
toldBefore = [...document.querySelectorAll("[data-told]")].map((each) => each.dataset.told).join(". ").replace(/[\d:]+/g, "");
showAges();
tellRefusedTap();
