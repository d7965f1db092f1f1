// A camera's picture that is held still, and a box drawn around whoever is to be searched.
"use strict";
(() => {
  const LEAST = 0.01;  // of the picture: less was a click, not a box
  const share = (value) => Math.min(1, Math.max(0, value));

  customElements.define("frame-box", class extends HTMLElement {
    connectedCallback() {
      if (this.image) return;
      this.form = this.closest("form");
      this.image = Object.assign(new Image(), { alt: "The camera's picture", hidden: true, draggable: false });
      this.none = Object.assign(document.createElement("p"), { className: "none" });
      this.box = Object.assign(document.createElement("div"), { className: "box", hidden: true });
      this.append(this.image, this.none, this.box);
      this.button = (name) => this.form.querySelector(`[data-frame-${name}]`);
      this.form.elements.frame.addEventListener("change", () => this.watch());
      this.button("hold").addEventListener("click", () => this.hold(!this.held));
      this.button("all").addEventListener("click", () => this.ask(null));
      this.addEventListener("pointerdown", (event) => this.begin(event));
      this.addEventListener("pointermove", (event) => this.from && this.draw(event));
      this.addEventListener("pointerup", (event) => this.end(event));
      this.addEventListener("pointercancel", () => this.clear());
      this.watch();
    }
    get camera() { return this.form.elements.frame.value; }

    // Live until it is held, in the camera's own size: somebody is to be cut out of it.
    async watch() {
      const camera = this.camera, mine = this.watching = {};
      this.clear();
      this.hold(false);
      this.image.hidden = true;
      this.tell();
      while (camera && this.isConnected && this.watching === mine) {
        try {
          const answer = this.held || document.visibilityState !== "visible" ? null : await fetch(`/live-pictures/${encodeURIComponent(camera)}?full=true`);
          if (answer?.status === 200 && this.watching === mine && !this.held) await this.show(await answer.blob());
        } catch { /* the server is away; it is asked again */ }
        await new Promise((done) => setTimeout(done, 700));
      }
    }
    async show(jpeg) {
      const next = new Image();
      next.src = URL.createObjectURL(jpeg);
      await next.decode().catch(() => {});
      if (this.held || !next.naturalWidth) return URL.revokeObjectURL(next.src);
      if (this.image.src) URL.revokeObjectURL(this.image.src);
      this.image.src = next.src;
      this.style.aspectRatio = `${next.naturalWidth} / ${next.naturalHeight}`;
      this.image.hidden = false;
      this.tell();
    }
    hold(held) {
      this.held = held && !this.image.hidden;
      if (!this.held) this.clear();
      this.tell();
    }
    tell() {
      const seen = !this.image.hidden;
      for (const name of ["hold", "all"]) this.button(name).disabled = !seen;
      this.button("hold").textContent = this.held ? "Go on" : "Pause";
      this.classList.toggle("held", Boolean(this.held));
      this.none.hidden = seen;
      this.none.textContent = this.camera ? "No picture yet" : "Choose a camera";
    }

    // A box, from corner to corner in shares of the picture.
    place(event) {
      const frame = this.getBoundingClientRect();
      return [share((event.clientX - frame.left) / frame.width), share((event.clientY - frame.top) / frame.height)];
    }
    begin(event) {
      if (this.image.hidden || event.button) return;
      event.preventDefault();
      this.hold(true);
      this.from = this.place(event);
      this.setPointerCapture(event.pointerId);
      this.draw(event);
    }
    draw(event) {
      const [x, y] = this.place(event), [left, right] = [x, this.from[0]].sort((a, b) => a - b), [top, bottom] = [y, this.from[1]].sort((a, b) => a - b);
      this.drawn = { left, top, width: right - left, height: bottom - top };
      this.box.hidden = false;
      for (const [name, value] of Object.entries(this.drawn)) this.box.style[name] = `${100 * value}%`;
    }
    end(event) {
      if (!this.from) return;
      this.draw(event);
      this.from = null;
      if (Math.min(this.drawn.width, this.drawn.height) < LEAST) return this.clear();
      this.ask(this.drawn);
    }
    clear() {
      this.from = null;
      this.box.hidden = true;
    }

    // What is in the box is one person; without one, whoever is seen in the picture.
    async ask(box) {
      this.hold(true);
      const { naturalWidth: wide, naturalHeight: tall } = this.image, { left, top, width, height } = box ?? { left: 0, top: 0, width: 1, height: 1 };
      const cut = new OffscreenCanvas(Math.max(1, Math.round(width * wide)), Math.max(1, Math.round(height * tall)));
      cut.getContext("2d").drawImage(this.image, -Math.round(left * wide), -Math.round(top * tall));
      this.form.elements.whole.value = box ? "true" : "";
      passerby.send(this, [new File([await cut.convertToBlob({ type: "image/jpeg", quality: 0.95 })], `${this.camera}.jpg`)]);
    }
  });
})();
