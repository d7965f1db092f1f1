// Films: sent in the background, their first and last frame chosen by eye, the answer asked for until it is there.
"use strict";
(() => {
  const isFilm = (file) => file.type.startsWith("video/") || /\.(mp4|m4v|mov|mkv|webm|avi|ts|mts)$/i.test(file.name);
  const word = (form) => ({ "X-CSRF-Token": form.elements.csrf.value });

  // A film among what was chosen is sent at once; gives whether there was one.
  passerby.film = (zone, input) => {
    const here = zone.closest("form").querySelector("[data-film-here]"), film = [...input.files].find(isFilm);
    forget(zone.closest("form"));
    if (!film || !input.accept.includes("video")) return false;
    input.value = "";
    zone.querySelector("[data-chosen]").textContent = film.name;
    send(zone, here, film);
    return true;
  };
  function send(zone, here, file) {
    const form = zone.closest("form"), asks = new XMLHttpRequest();
    here.innerHTML = '<div class="row"><span class="grow small"></span><button type="button" class="btn quiet">Stop</button></div><progress max="1" value="0" aria-label="Sent"></progress>';
    const says = here.querySelector("span"), bar = here.querySelector("progress");
    says.textContent = `Sending ${file.name}`;
    here.querySelector("button").onclick = () => asks.abort();
    asks.upload.onprogress = (event) => { bar.value = event.loaded / (event.total || file.size || 1); if (bar.value === 1) { says.textContent = "Reading it"; bar.removeAttribute("value"); } };
    asks.onabort = () => { here.innerHTML = ""; };
    asks.onerror = () => trouble(here, "The server does not answer, or has refused so long a file.");
    asks.onload = async () => {
      if (asks.status !== 201) return trouble(here, told(asks) || `The server has refused it (${asks.status}).`);
      const answer = await fetch(`/looking/films/${JSON.parse(asks.responseText).id}`).catch(() => null);
      here.innerHTML = answer?.ok ? await answer.text() : '<p class="bad" role="alert">The server does not answer.</p>';
    };
    asks.open("POST", `/api/v1/films?name=${encodeURIComponent(file.name.slice(-200))}`);
    for (const [name, value] of Object.entries(word(form))) asks.setRequestHeader(name, value);
    asks.setRequestHeader("Content-Type", "application/octet-stream");
    asks.send(file);
  }
  const told = (asks) => { try { return JSON.parse(asks.responseText).detail; } catch { return ""; } };
  function trouble(here, text) { here.innerHTML = ""; here.append(Object.assign(document.createElement("p"), { className: "bad", textContent: text, role: "alert" })); }
  function forget(form) {
    const film = form.querySelector("[data-film]");
    if (film) fetch(`/api/v1/films/${film.dataset.film}`, { method: "DELETE", headers: word(form) }).catch(() => {});
    const here = form.querySelector("[data-film-here]");
    if (here) here.innerHTML = "";
  }

  // --- the range: numbers, sliders and pictures say the same, and the first frame is not after the last
  function range(host) {
    const number = (name) => host.querySelector(`input[name=${name}]`), waiting = {};
    function set(name, value) {
      const input = number(name), slide = host.querySelector(`[data-slides=${name}]`), most = +input.max;
      const frame = Math.min(most, Math.max(1, Math.round(value) || 1));
      if (+input.value !== frame) input.value = frame;
      if (+slide.value !== frame) slide.value = frame;
      host.querySelector(`[data-second=${name}]`).textContent = `at ${((frame - 1) / +host.dataset.fps).toFixed(1)} s`;
      clearTimeout(waiting[name]);
      waiting[name] = setTimeout(() => {
        const image = host.querySelector(`[data-shows=${name}]`), address = image.getAttribute("src").replace(/frames\/\d+/, `frames/${frame}`);
        if (image.getAttribute("src") !== address) image.src = address;
      }, 140);
      const other = name === "from_frame" ? "to_frame" : "from_frame", theirs = +number(other).value;
      if (name === "from_frame" ? theirs < frame : theirs > frame) set(other, frame);
    }
    for (const name of ["from_frame", "to_frame"]) {
      number(name).addEventListener("change", (event) => set(name, +event.target.value));
      host.querySelector(`[data-slides=${name}]`).addEventListener("input", (event) => set(name, +event.target.value));
      set(name, +number(name).value);
    }
    host.querySelector("[data-forget]").addEventListener("click", () => forget(host.closest("form")));
    host.closest("form").addEventListener("passerby-asked", () => { const person = host.querySelector("[name=person]"); if (person) person.value = ""; });
  }

  // --- an answer that is not there yet
  async function poll(card) {
    while (card.isConnected) {
      await new Promise((done) => setTimeout(done, 400));
      const answer = await fetch(card.dataset.poll).catch(() => null);
      if (!card.isConnected) return;
      if (answer?.ok) {
        const text = await answer.text();
        if (text !== card.shown) { const region = document.createRange().createContextualFragment(text); region.firstElementChild.shown = text; card.replaceWith(region); return; }
      } else if (answer) { card.outerHTML = '<div class="empty trouble"><h2>It is not there any more</h2><p>Ask again.</p></div>'; return; }
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-person]"), person = document.querySelector("form [name=person]");
    if (!button || !person) return;
    person.value = button.dataset.person;
    person.form.requestSubmit();
  });

  const each = (node, selector, does) => { for (const one of [...(node.matches(selector) ? [node] : []), ...node.querySelectorAll(selector)]) if (!one.alive) { one.alive = true; does(one); } };
  passerby.films = (node) => { each(node, "[data-film]", range); each(node, "[data-poll]", poll); };
})();
