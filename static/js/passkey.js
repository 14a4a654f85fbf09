// Shows the buttons of passkeys where the browser knows passkeys, and says when one did not work.

if (window.PublicKeyCredential) {
  document.querySelectorAll("[data-passkey]").forEach((button) => { button.hidden = false; });
}
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("told").textContent = event.detail.exception.message;
});
