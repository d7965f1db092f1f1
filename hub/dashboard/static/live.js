// Live pictures of all views of a page, by one answer that does not end, while the page is seen; one colour a person.
"use strict";
(() => {
  const views = new Map();  // by camera
  let stream = null, begins;

  passerby.watch = (view) => {
    const camera = decodeURIComponent(view.dataset.watch.split("/").pop()), isNew = !views.has(camera);
    views.set(camera, view);
    if (isNew) begin();
  };
  passerby.rewatch = begin;
  document.addEventListener("visibilitychange", begin);

  function begin() {  // anew, with the views that there are now
    clearTimeout(begins);
    begins = setTimeout(() => {
      stream?.abort();
      stream = document.visibilityState === "visible" ? new AbortController() : null;
      if (stream) follow(stream);
    });
  }
  async function follow(mine) {
    while (stream === mine) {
      for (const [camera, view] of views) if (!view.isConnected) views.delete(camera);
      if (!views.size) return;
      try {
        const query = new URLSearchParams([...views.keys()].map((camera) => ["camera", camera]));
        const answer = await fetch(`/live-pictures?${query}`, { signal: mine.signal });
        if (answer.ok) for await (const [told, jpeg] of pictures(answer.body.getReader())) next(views.get(told.camera), told, jpeg);
      } catch { /* the server is away, or this page is */ }
      if (stream !== mine) return;
      for (const view of views.values()) hide(view);
      await new Promise((done) => setTimeout(done, 2000));
    }
  }
  // Each is the length of what is told (4 bytes), that as JSON, and the JPEG.
  async function* pictures(reader) {
    let held = new Uint8Array(0);
    async function take(count) {
      const parts = [held];
      let length = held.length;
      while (length < count) {
        const { done, value } = await reader.read();
        if (done) return null;
        parts.push(value);
        length += value.length;
      }
      if (parts.length > 1) {
        held = new Uint8Array(length);
        let at = 0;
        for (const part of parts) { held.set(part, at); at += part.length; }
      }
      const taken = held.subarray(0, count);
      held = held.subarray(count);
      return taken;
    }
    for (;;) {
      const length = await take(4);
      if (!length) return;
      const head = await take(new DataView(length.buffer, length.byteOffset).getUint32(0));
      if (!head) return;
      const told = JSON.parse(new TextDecoder().decode(head)), jpeg = await take(told.bytes);
      if (!jpeg) return;
      yield [told, new Blob([jpeg], { type: "image/jpeg" })];
    }
  }

  // A view shows one picture after the other; what comes while it is drawn takes the place of what waits.
  async function next(view, told, jpeg) {
    if (!view) return;
    view.waiting = [told, jpeg];
    if (view.drawing) return;
    view.drawing = true;
    while (view.waiting) {
      const [now, picture] = view.waiting;
      view.waiting = null;
      if (picture.size) await show(view, now.boxes, picture); else hide(view);
    }
    view.drawing = false;
  }
  async function show(view, boxes, jpeg) {
    const image = view.querySelector("img.live"), canvas = view.querySelector("canvas"), none = view.querySelector("[data-none]");
    const address = URL.createObjectURL(jpeg);
    image.src = address;
    await image.decode().catch(() => {});
    URL.revokeObjectURL(address);
    image.hidden = canvas.hidden = false;
    if (none) none.hidden = true;
    draw(canvas, image, boxes);
  }
  function hide(view) {
    const none = view.querySelector("[data-none]");
    for (const shown of view.querySelectorAll("img.live, canvas")) shown.hidden = true;
    if (none) none.hidden = false;
  }
  function draw(canvas, image, boxes) {
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth * ratio, height = canvas.clientHeight * ratio;
    canvas.width = width; canvas.height = height;
    const pen = canvas.getContext("2d"), scale = Math.min(width / image.naturalWidth, height / image.naturalHeight);
    pen.translate((width - image.naturalWidth * scale) / 2, (height - image.naturalHeight * scale) / 2);
    pen.font = `600 ${12 * ratio}px system-ui, sans-serif`;
    const ink = (identity) => identity ? `oklch(75% 0.16 ${passerby.hue(identity)})` : "#cfd6df";
    const people = boxes.map(({ box, identity, name }) => ({ corners: box.map((v) => v * scale), colour: ink(identity), name }));
    pen.lineWidth = 2 * ratio;
    for (const { corners: [x1, y1, x2, y2], colour } of people) {
      pen.strokeStyle = colour;
      pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
    }
    const taken = [];  // by names, which cover neither each other nor are covered
    for (const { corners: [x1, y1, , y2], colour, name } of people) {
      const wide = pen.measureText(name).width + 8 * ratio, tall = 17 * ratio;
      const left = Math.max(0, Math.min(x1 - ratio, image.naturalWidth * scale - wide)), above = Math.max(0, y1 - tall);
      const isFree = (top) => !taken.some(([x, y, w]) => left < x + w && x < left + wide && Math.abs(top - y) < tall);
      const top = [above, y2, y1].find(isFree) ?? above;
      taken.push([left, top, wide]);
      pen.fillStyle = colour; pen.fillRect(left, top, wide, tall);
      pen.fillStyle = "#0b0e12"; pen.fillText(name, left + 4 * ratio, top + 12.5 * ratio);
    }
  }
})();
