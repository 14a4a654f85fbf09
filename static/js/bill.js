// Copies what a transfer needs and hands the picture to another app. Everything on the page works
// without this file, so what only it can do is hidden until it runs.

const tell = (sentence) => {
  document.getElementById("told").textContent = sentence;
};

async function copied(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  // Pages by plain http have no clipboard object; the old command still works there.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  return isCopied;
}

async function copy(button) {
  const isCopied = await copied(button.dataset.copy);
  const sentence = isCopied ? button.dataset.done : button.dataset.failed;
  const label = button.querySelector("span");
  const before = label.textContent;
  label.textContent = sentence;
  tell(sentence);
  setTimeout(() => {
    label.textContent = before;
  }, 2000);
}

async function share(button) {
  const picture = await fetch(button.dataset.share).then((answer) => answer.blob());
  const file = new File([picture], button.dataset.name, { type: "image/png" });
  const parcel = { files: [file], text: button.dataset.text };
  // Closing the phone's share sheet is no fault.
  await navigator.share(parcel).catch((fault) => fault.name === "AbortError" || tell(fault.message));
}

function reveal() {
  const probe = new File([""], "a.png", { type: "image/png" });
  const canShare = Boolean(navigator.canShare?.({ files: [probe] }));
  document.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
  document.querySelectorAll("[data-share]").forEach((button) => { button.hidden = !canShare; });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-share]");
  if (button) (button.dataset.copy ? copy : share)(button);
});
document.addEventListener("htmx:afterSwap", reveal);
reveal();
