// What pages do in the browser: theme, times, keys, toasts, dialogs. No page holds state that the server lacks.
"use strict";
(() => {
  const root = document.documentElement;

  // --- theme: auto follows the system, a choice is remembered by this browser
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("passerby-theme") || "auto";
  function paint() {
    const dark = chosen() === "dark" || (chosen() === "auto" && system.matches);
    root.toggleAttribute("data-dark", dark);
    for (const button of document.querySelectorAll("[data-theme-button] .label")) button.textContent = `Theme: ${chosen()}`;
    if (document.body && typeof setDark === "function") setDark(dark);
    dispatchEvent(new Event("passerby-theme"));
  }
  system.addEventListener("change", paint);
  paint();

  // --- times in the viewer's zone
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "narrow" });
  function ago(date) {
    const s = (date - Date.now()) / 1000;
    for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]])
      if (Math.abs(s) >= size) return relative.format(Math.round(s / size), unit);
    return relative.format(Math.round(s), "second");
  }
  function tell(element) {
    const date = new Date(element.dateTime), style = element.dataset.as;
    if (isNaN(date)) return;
    const today = date.toDateString() === new Date().toDateString();
    element.textContent = style === "ago" ? ago(date) : style === "day" ? day.format(date) : style === "clock" || (style === "auto" && today) ? clock.format(date) : moment.format(date);
    if (!element.title) element.title = moment.format(date);
  }
  const tellAll = (within) => within.querySelectorAll?.("time[data-as]").forEach(tell);
  setInterval(() => document.querySelectorAll('time[data-as="ago"]').forEach(tell), 5000);

  // --- what the server hears: a click on [data-do] with all data-* of the element, and the fields of its form
  function fieldsOf(form) {
    const fields = Object.fromEntries(new FormData(form));
    for (const input of form.querySelectorAll("input[type=datetime-local][name]"))
      if (input.value) fields[input.name] = String(new Date(input.value).getTime());
    return fields;
  }
  function said(element) {
    const form = element.closest("form"), fields = form ? fieldsOf(form) : {};
    if (form) for (const box of form.querySelectorAll("input[type=checkbox][name]")) {
      const all = [...form.querySelectorAll(`input[name="${box.name}"]:checked`)].map((one) => one.value);
      fields[box.name] = all.join(",");
    }
    return { ...fields, ...element.dataset };
  }
  document.addEventListener("click", (event) => {
    const element = event.target.closest("[data-do],[data-open],[data-close],[data-theme-button],[data-sign-out]");
    if (!element || element.disabled) return;
    if (element.hasAttribute("data-sign-out")) {
      window.socket?.off(); // or the server, for which this page is nobody's then, reloads it meanwhile
      return void fetch("/api/v1/session", { method: "DELETE", headers: { "X-CSRF-Token": element.dataset.signOut } }).then(() => location.replace("/login"), () => location.reload());
    }
    if (element.dataset.open) return void document.getElementById(element.dataset.open)?.showModal();
    if (element.hasAttribute("data-theme-button")) {
      const order = ["auto", "light", "dark"];
      localStorage.setItem("passerby-theme", order[(order.indexOf(chosen()) + 1) % 3]);
      return paint();
    }
    if (element.dataset.do) {
      event.preventDefault();
      const form = element.closest("form");
      if (form && !form.reportValidity()) return;
      emitEvent("do", said(element));
      if (element.dataset.busy) busy(element);
    }
    if (element.dataset.do || element.hasAttribute("data-close")) element.closest("dialog")?.close();
  });
  // What takes the server a while says so, and is not asked for twice meanwhile.
  function busy(button) {
    Object.assign(button, { said: button.textContent, textContent: button.dataset.busy, disabled: true });
  }
  function done() {
    for (const button of document.querySelectorAll("[data-busy]:disabled")) Object.assign(button, { textContent: button.said, disabled: false });
  }
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector(".primary[data-do]") || event.target.querySelector("[data-do]");
    if (event.target.method === "dialog" || button) event.preventDefault();
    if (button) button.click();
  });
  let waiting;
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-live]");
    if (!form) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => emitEvent("do", { do: form.dataset.live, ...fieldsOf(form) }), 180);
  });

  // --- keys: a button says which key presses it; "/" finds the search field, "?" nothing but what buttons say
  const places = { l: "/", i: "/identities", t: "/timeline", r: "/review", f: "/search", e: "/enrolment", s: "/site", a: "/adaptation", c: "/cameras", y: "/system" };
  let leader = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(input|textarea|select)$/i.test(event.target.tagName) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (leader && Date.now() - leader < 1200 && places[key]) { leader = 0; if (document.querySelector(`.rail a[href="${places[key]}"]`)) location.href = places[key]; return; }
    leader = key === "g" ? Date.now() : 0;
    if (key === "/") { const field = document.querySelector("[data-find]"); if (field) { event.preventDefault(); field.focus(); } return; }
    const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (button && !event.repeat) { event.preventDefault(); button.click(); }
  });

  // --- toasts
  function toast({ text, undo, bad, seconds }) {
    let region = document.getElementById("toasts");
    if (!region) {
      region = Object.assign(document.createElement("div"), { id: "toasts" });
      region.setAttribute("role", "status");
      document.body.append(region);
    }
    const one = document.createElement("div");
    one.className = bad ? "toast bad" : "toast";
    one.append(Object.assign(document.createElement("span"), { textContent: text, className: "grow" }));
    const leave = () => one.remove();
    const button = (label, does) => { const b = Object.assign(document.createElement("button"), { textContent: label, type: "button" }); b.onclick = () => { leave(); does?.(); }; one.append(b); return b; };
    if (undo) button("Undo", () => emitEvent("do", { do: "undo", event: String(undo) })).dataset.key = "z";
    button("✕").ariaLabel = "Dismiss";
    region.append(one);
    while (region.children.length > 4) region.firstChild.remove();
    setTimeout(leave, 1000 * (seconds || (undo || bad ? 14 : 5)));
  }

  const later = (told) => sessionStorage.setItem("passerby-toast", JSON.stringify(told));
  function held() {
    const told = sessionStorage.getItem("passerby-toast");
    if (told) { sessionStorage.removeItem("passerby-toast"); toast(JSON.parse(told)); }
  }

  // --- the feed of the live page
  function feed(html, count) {
    const list = document.getElementById("feed");
    if (!list) return;
    document.getElementById("feed-empty")?.remove();
    const held = list.scrollTop;
    list.insertAdjacentHTML("afterbegin", html);
    for (let i = 0; i < count; i++) list.children[i]?.classList.add("fresh");
    while (list.children.length > 80) list.lastChild.remove();
    if (held > 4) list.scrollTop = held + 1;
  }
  // What somebody is being asked stays open, whatever is told meanwhile; what is told again disturbs nobody.
  function put(id, html) {
    const element = document.getElementById(id);
    if (!element || element.told === html || element.querySelector("dialog[open]")) return;
    element.told = html;
    element.innerHTML = html;
  }

  // --- lists that follow what there is: who is shown already stays, with the picture that it shows
  function become(id, html) {
    const list = document.getElementById(id), fresh = document.createElement("template");
    if (!list) return;
    fresh.innerHTML = html;
    const shown = new Map([...list.children].map((one) => [one.dataset.key, one]));
    list.replaceChildren(...[...fresh.content.children].map((one) => shown.get(one.dataset.key) ?? one));
    passerby.rewatch();
  }
  function follow(told) {
    const shown = [...document.getElementById(told.dataset.follows).children].map((one) => one.dataset.key);
    if (JSON.stringify(shown.filter(Boolean)) !== JSON.stringify(JSON.parse(told.dataset.keys))) emitEvent("do", { do: "follow" });
  }

  // --- one colour a person
  const hue = (identity) => (identity * 137.508) % 360;
  const colour = (identity, alpha = 1) => {
    const style = getComputedStyle(root);
    return `oklch(${style.getPropertyValue("--id-l")} ${style.getPropertyValue("--id-c")} ${hue(identity)} / ${alpha})`;
  };
  // --- drop zones: a file goes to `data-to` with the form's fields, the answer's HTML replaces `data-into`
  async function send(zone, files) {
    const into = document.getElementById(zone.dataset.into), form = zone.closest("form"), body = new FormData(form);
    body.delete("file");
    form.dispatchEvent(new Event("passerby-asked"));
    for (const file of files) body.append("file", file);
    into.setAttribute("aria-busy", "true");
    into.innerHTML = '<p class="soft">Looking…</p>';
    try {
      const answer = await fetch(zone.dataset.to, { method: "POST", body, headers: { "X-Passerby": "1" } });
      into.innerHTML = await answer.text();
    } catch {
      into.innerHTML = '<div class="empty trouble"><h2>The server does not answer</h2><p>Is it still running? Try again.</p></div>';
    }
    into.removeAttribute("aria-busy");
  }
  function zone(element) {
    const input = element.querySelector("input[type=file]");
    input.addEventListener("change", () => { if (passerby.film?.(element, input)) return; if (input.files.length && element.dataset.at === "once") send(element, input.files); else say(element, input.files); });
    for (const kind of ["dragover", "dragenter"]) element.addEventListener(kind, (event) => { event.preventDefault(); element.classList.add("over"); });
    for (const kind of ["dragleave", "drop"]) element.addEventListener(kind, () => element.classList.remove("over"));
    element.addEventListener("drop", (event) => { event.preventDefault(); input.files = event.dataTransfer.files; input.dispatchEvent(new Event("change")); });
    element.closest("form").addEventListener("submit", (event) => { event.preventDefault(); if (input.files.length || event.target.elements.film) send(element, input.files); else { element.focus(); toast({ text: `Choose ${input.multiple ? "pictures" : "a picture"} first.`, bad: true, seconds: 4 }); } });
  }
  const say = (element, files) => { const label = element.querySelector("[data-chosen]"); if (label) label.textContent = [...files].map((f) => f.name).join(", "); };

  // --- whatever appears is made alive
  function enliven(node) {
    if (node.nodeType !== 1) return;
    if (node.matches("time[data-as]")) tell(node);
    tellAll(node);
    for (const view of [...(node.matches("[data-watch]") ? [node] : []), ...node.querySelectorAll("[data-watch]")]) if (!view.watched) { view.watched = true; passerby.watch(view); }
    for (const drop of [...(node.matches(".drop") ? [node] : []), ...node.querySelectorAll(".drop")]) if (!drop.ready) { drop.ready = true; zone(drop); }
    for (const lanes of [...(node.matches("[data-lanes]") ? [node] : []), ...node.querySelectorAll("[data-lanes]")]) if (!lanes.ready) { lanes.ready = true; passerby.lanes?.(lanes); }
    if (node.matches("[data-follows]")) follow(node);
    passerby.films?.(node);
  }
  globalThis.passerby = { toast, later, feed, put, become, done, send, hue, colour, paint, enliven };
  addEventListener("DOMContentLoaded", () => {
    new MutationObserver((changes) => { for (const change of changes) change.addedNodes.forEach(enliven); }).observe(document.body, { childList: true, subtree: true });
    enliven(document.body);
    const ready = setInterval(() => { if (document.querySelector(".rail")) { clearInterval(ready); paint(); held(); } }, 30);
  });
})();
