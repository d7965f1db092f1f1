// Signing in: the name and the password go to the API, which answers with a cookie.
"use strict";
document.documentElement.toggleAttribute("data-dark", (localStorage.getItem("passerby-theme") || "auto") === "dark" || ((localStorage.getItem("passerby-theme") || "auto") === "auto" && matchMedia("(prefers-color-scheme: dark)").matches));
for (const form of document.querySelectorAll("[data-enter]"))
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button"), trouble = form.querySelector("[role=alert]");
    button.disabled = true;
    trouble.hidden = true;
    try {
      const answer = await fetch(form.dataset.enter, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(Object.fromEntries(new FormData(form))) });
      if (answer.ok) return location.replace(form.dataset.next);
      const told = await answer.json().catch(() => ({}));
      trouble.textContent = told.detail || "That did not work; try again.";
    } catch {
      trouble.textContent = "The server does not answer; is it still running?";
    }
    trouble.hidden = false;
    button.disabled = false;
  });
