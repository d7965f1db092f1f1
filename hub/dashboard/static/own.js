// One's own password, which goes to the API as it is, and words that are copied.
"use strict";
document.addEventListener("submit", (event) => event.target.querySelector("dialog [data-password]")?.click());
document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]"), button = event.target.closest("[data-password]");
  if (copy) {
    await navigator.clipboard?.writeText(copy.dataset.copy).then(() => passerby.toast({ text: "Copied." }), () => {});
    return;
  }
  if (!button) return;
  const form = button.closest("form"), trouble = form.querySelector("[role=alert]"), told = Object.fromEntries(new FormData(form));
  const say = (text) => { trouble.textContent = text; trouble.hidden = false; };
  trouble.hidden = true;
  if (!form.reportValidity()) return;
  if (told.new !== told.again) return say("The two new passwords are not the same.");
  button.disabled = true;
  try {
    const answer = await fetch("/api/v1/session/password", { method: "PUT", headers: { "Content-Type": "application/json", "X-CSRF-Token": button.dataset.password }, body: JSON.stringify({ old: told.old, new: told.new }) });
    if (answer.ok) {
      form.reset();
      button.closest("dialog").close();
      passerby.toast({ text: "Your password is changed; your other sessions have ended." });
    } else say((await answer.json().catch(() => ({}))).detail || "That did not work; try again.");
  } catch {
    say("The server does not answer; is it still running?");
  }
  button.disabled = false;
});
