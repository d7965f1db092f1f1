// Pages about cameras: a look before one is attached, told as it goes on, and regions drawn over its picture.
"use strict";
(() => {
  // --- a form with `data-probe`: its answer comes in lines of JSON, steps first and what was found at last
  async function probe(form) {
    const into = document.getElementById(form.dataset.into), button = form.querySelector("button:not([type=button])");
    const body = new FormData(form), began = Date.now();
    if (!String(body.get("where")).trim()) return form.elements.where.focus();
    button.disabled = true;
    into.setAttribute("aria-busy", "true");
    into.innerHTML = '<div class="card pad stack"><h2>Looking… <span class="num soft" data-since></span></h2><div class="meter going"><i></i></div><ol class="steps small"></ol></div>';
    const clock = setInterval(() => { const since = into.querySelector("[data-since]"); if (since) since.textContent = `${Math.round((Date.now() - began) / 1000)} s`; }, 500);
    const failed = (text) => { into.innerHTML = '<div class="empty trouble" role="alert"><h2>That did not work</h2><p></p></div>'; into.querySelector("p").textContent = text; };
    try {
      const answer = await fetch(form.dataset.probe, { method: "POST", body });
      if (!answer.ok) throw new Error(answer.status === 403 ? "This is for administrators." : "Sign in again, then try once more.");
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ;) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines) {
          const told = JSON.parse(line);
          if (told.html !== undefined) into.innerHTML = told.html;
          else into.querySelector(".steps")?.append(Object.assign(document.createElement("li"), { textContent: told.step }));
        }
      }
    } catch (error) {
      failed(error instanceof TypeError ? "The server does not answer; is it still running?" : error.message);
    }
    clearInterval(clock);
    into.removeAttribute("aria-busy");
    button.disabled = false;
    into.querySelector("input[name=name]")?.focus();
  }
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-probe]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    probe(event.target);
  }, true);

  // --- <region-view>: zones and masks over a picture, in fractions of it; with `data-edit` to be drawn and dragged
  const WIDE = 1000, NAMES = { zones: "Watched", masks: "Ignored" };
  const draw = (kind, attributes) => { const one = document.createElementNS("http://www.w3.org/2000/svg", kind); for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value); return one; };
  const clip = (value) => Math.round(Math.min(1, Math.max(0, value)) * 10000) / 10000;
  customElements.define("region-view", class extends HTMLElement {
    connectedCallback() {
      if (this.drawn) return;
      this.drawn = true;
      this.zones = JSON.parse(this.dataset.zones || "[]");
      this.masks = JSON.parse(this.dataset.masks || "[]");
      this.proposals = JSON.parse(this.dataset.proposals || "[]");
      this.tall = WIDE * 9 / 16;
      this.image = Object.assign(new Image(), { alt: this.dataset.alt || "What the camera shows", hidden: true });
      this.none = Object.assign(document.createElement("p"), { className: "none", textContent: this.dataset.src ? "No picture yet" : "No picture while it is paused" });
      this.svg = draw("svg", { role: "img", "aria-label": "Regions" });
      this.append(this.image, this.none, this.svg);
      this.image.onload = () => { this.tall = WIDE * this.image.naturalHeight / this.image.naturalWidth; this.style.aspectRatio = `${this.image.naturalWidth} / ${this.image.naturalHeight}`; this.image.hidden = false; this.none.hidden = true; this.paint(); };
      if (this.dataset.src?.startsWith("data:")) this.image.src = this.dataset.src;
      else if (this.dataset.src) this.look();
      if (this.dataset.edit !== undefined) this.listen();
      this.paint();
    }
    async look() {
      while (this.isConnected) {
        let pause = 1000;
        try {
          const answer = document.visibilityState === "visible" ? await fetch(this.dataset.src) : null;
          if (answer?.status === 200) {
            const address = URL.createObjectURL(await answer.blob()), former = this.image.src;
            this.image.src = address;
            await this.image.decode().catch(() => {});
            if (former.startsWith("blob:")) URL.revokeObjectURL(former);
            pause = this.drawing || this.dragged ? 1000 : 2000;
          }
        } catch { pause = 3000; }
        await new Promise((done) => setTimeout(done, pause));
      }
    }
    listen() {
      const form = this.closest("form"), page = new AbortController();
      const gone = () => { if (!this.isConnected) page.abort(); return !this.isConnected; };
      const on = (target, kind, does) => target.addEventListener(kind, (event) => gone() || does(event), { signal: page.signal });
      on(document, "click", (event) => {
        const pen = event.target.closest("[data-draw]"), proposed = event.target.closest("[data-propose]"), less = event.target.closest("[data-less]");
        if (pen && form.contains(pen)) this.begin(this.drawing?.kind === pen.dataset.draw ? null : pen.dataset.draw);
        else if (proposed) { this.masks.push(this.proposals[Number(proposed.dataset.propose)]); proposed.disabled = true; this.changed(); }
        else if (less && form.contains(less)) { this[less.dataset.kind].splice(Number(less.dataset.less), 1); this.changed(); }
      });
      on(document, "keydown", (event) => {
        if (!this.drawing || document.querySelector("dialog[open]")) return;
        if (event.key === "Escape") this.begin(null);
        else if (event.key === "Enter") this.close();
        else if (event.key === "Backspace") { this.drawing.corners.pop(); this.paint(); }
        else return;
        event.preventDefault();
      });
      on(this.svg, "pointerdown", (event) => {
        const handle = event.target.closest("[data-corner]");
        if (this.drawing) return this.click(event);
        if (!handle) return;
        this.dragged = [handle.dataset.kind, Number(handle.dataset.region), Number(handle.dataset.corner)];
        this.svg.setPointerCapture(event.pointerId);
        event.preventDefault();
      });
      on(this.svg, "pointermove", (event) => {
        if (this.drawing) { this.drawing.at = this.place(event); this.paint(); }
        if (!this.dragged) return;
        const [kind, region, corner] = this.dragged;
        this[kind][region][corner] = this.place(event);
        this.paint();
      });
      for (const kind of ["pointerup", "pointercancel"]) on(this.svg, kind, () => { if (this.dragged) { this.dragged = null; this.changed(); } });
      this.form = form;
      this.tell();
    }
    place(event) {
      const frame = this.svg.getBoundingClientRect();
      return [clip((event.clientX - frame.left) / frame.width), clip((event.clientY - frame.top) / frame.height)];
    }
    begin(kind) {
      this.drawing = kind && { kind, corners: [], at: null };
      for (const pen of this.form.querySelectorAll("[data-draw]")) pen.setAttribute("aria-pressed", String(pen.dataset.draw === kind));
      this.svg.classList.toggle("drawing", !!kind);
      this.hint(kind ? "Click the corners; the first one again, or Enter, ends the region. Backspace takes a corner back, Escape ends it." : "");
      this.paint();
    }
    click(event) {
      event.preventDefault();
      const at = this.place(event), [first] = this.drawing.corners, frame = this.svg.getBoundingClientRect();
      const near = first && Math.hypot((first[0] - at[0]) * frame.width, (first[1] - at[1]) * frame.height) < 12;
      if (near && this.drawing.corners.length > 2) return this.close();
      if (!near) this.drawing.corners.push(at);
      this.paint();
    }
    close() {
      const { kind, corners } = this.drawing;
      if (corners.length < 3) return this.hint("A region has three corners at least.");
      this[kind].push(corners);
      this.begin(null);
      this.changed();
    }
    changed() { this.paint(); this.tell(); this.hint("Changed; not saved yet."); }
    hint(text) { const place = this.form?.querySelector("[data-hint]"); if (place && text) place.textContent = text; }
    tell() {
      for (const kind of ["zones", "masks"]) this.form.elements[kind].value = JSON.stringify(this[kind]);
      const list = this.form.querySelector("[data-list]");
      list.replaceChildren(...["zones", "masks"].flatMap((kind) => this[kind].map((region, number) => {
        const row = Object.assign(document.createElement("li"), { className: "row" });
        const name = Object.assign(document.createElement("span"), { className: `grow ${kind}`, textContent: `${NAMES[kind]} region ${number + 1}, ${region.length} corners` });
        const less = Object.assign(document.createElement("button"), { type: "button", className: "btn quiet", textContent: "Remove" });
        less.setAttribute("aria-label", `Remove region ${number + 1} of those ${NAMES[kind].toLowerCase()}`);
        less.dataset.kind = kind; less.dataset.less = number;
        row.append(name, less);
        return row;
      })));
    }
    paint() {
      const put = ([x, y]) => `${x * WIDE},${y * this.tall}`, edit = this.dataset.edit !== undefined;
      this.svg.setAttribute("viewBox", `0 0 ${WIDE} ${this.tall}`);
      this.svg.replaceChildren();
      for (const region of this.proposals) this.svg.append(draw("polygon", { class: "proposal", points: region.map(put).join(" ") }));
      for (const kind of ["zones", "masks"])
        this[kind].forEach((region, number) => {
          this.svg.append(draw("polygon", { class: kind, points: region.map(put).join(" ") }));
          if (edit && !this.drawing) region.forEach(([x, y], corner) => this.svg.append(draw("circle", { class: kind, cx: x * WIDE, cy: y * this.tall, r: 9, "data-kind": kind, "data-region": number, "data-corner": corner })));
        });
      if (!this.drawing) return;
      const { kind, corners, at } = this.drawing;
      this.svg.append(draw("polyline", { class: kind, points: [...corners, ...(at && corners.length ? [at] : [])].map(put).join(" ") }));
      corners.forEach(([x, y], corner) => this.svg.append(draw("circle", { class: `${kind}${corner ? "" : " first"}`, cx: x * WIDE, cy: y * this.tall, r: corner ? 6 : 10 })));
    }
  });
})();
