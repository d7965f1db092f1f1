// The timeline: lanes of cameras or people, a bar a tracklet, links between the sightings of one person.
"use strict";
passerby.lanes = (host) => {
  const canvas = host.querySelector("canvas"), panel = document.getElementById(host.dataset.into), tip = host.querySelector(".tip");
  const pen = canvas.getContext("2d"), LEFT = 128, TOP = 26, BAR = 8, ROW = 11, GAP = 10;
  let by = host.dataset.by || "camera", data = { cameras: [], names: {}, bars: [], cut: false }, lanes = [], placed = new Map();
  let from = +host.dataset.from, to = +host.dataset.to, loaded = [0, -1], chosen = +host.dataset.tracklet || 0, hovered = 0, cursor = null;
  let scroll = 0, tall = 0, due = false, asking;
  const only = +host.dataset.identity || 0;
  const name = (identity) => data.names[identity] || (identity ? `Person ${identity}` : "not decided yet");

  async function load() {
    const width = to - from, since = Math.floor(from - width), until = Math.ceil(to + width);
    const answer = await fetch(`/timeline-bars?since=${since}&until=${until}`).catch(() => null);
    if (!answer?.ok) return void (panel.innerHTML = '<div class="empty trouble"><h2>The server does not answer</h2></div>');
    data = await answer.json();
    loaded = [since, until];
    host.querySelector("[data-cut]").hidden = !data.cut;
    arrange();
  }
  function arrange() {
    const keys = new Map();
    const bars = only ? data.bars.filter((bar) => bar[2] === only) : data.bars;
    for (const bar of bars) { const key = by === "camera" ? bar[1] : bar[2]; if (by === "camera" || key) (keys.get(key) || keys.set(key, []).get(key)).push(bar); }
    let order = [...keys.keys()].sort((a, b) => a - b);
    if (by === "person") order = order.sort((a, b) => keys.get(b).at(-1)[4] - keys.get(a).at(-1)[4]);
    lanes = []; placed = new Map();
    let y = TOP;
    for (const key of order) {
      const ends = [];
      for (const bar of keys.get(key)) {
        let row = ends.findIndex((end) => end <= bar[3]);
        if (row < 0) row = ends.push(0) - 1;
        ends[row] = bar[4];
        placed.set(bar[0], { bar, y: y + row * ROW });
      }
      const height = Math.max(2, ends.length) * ROW;
      lanes.push({ key, y, height, label: by === "camera" ? data.cameras[key] : name(key) });
      y += height + GAP;
    }
    tall = y;
    draw();
  }
  const x = (ms) => LEFT + ((ms - from) / (to - from)) * (canvas.clientWidth - LEFT);
  const at = (px) => from + ((px - LEFT) / (canvas.clientWidth - LEFT)) * (to - from);

  function draw() { if (!due) { due = true; requestAnimationFrame(paint); } }
  function paint() {
    due = false;
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== width * ratio || canvas.height !== height * ratio) { canvas.width = width * ratio; canvas.height = height * ratio; }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--ink"), soft = style.getPropertyValue("--soft"), line = style.getPropertyValue("--line"), card = style.getPropertyValue("--card");
    const light = style.getPropertyValue("--id-l"), chroma = style.getPropertyValue("--id-c");
    const known = new Map();
    const colour = (identity) => known.get(identity) || known.set(identity, identity ? `oklch(${light} ${chroma} ${passerby.hue(identity)})` : soft).get(identity);
    pen.clearRect(0, 0, width, height);
    scroll = Math.max(0, Math.min(scroll, tall - height + 8));
    pen.font = "11px system-ui, sans-serif"; pen.textBaseline = "middle";
    ticks(width, height, soft, line);
    pen.save(); pen.beginPath(); pen.rect(LEFT, TOP - 6, width - LEFT, height); pen.clip();
    const last = new Map();
    pen.lineWidth = 1.4;
    for (const { bar, y } of placed.values()) {
      const identity = bar[2];
      if (!identity) continue;
      const before = last.get(identity);
      last.set(identity, { bar, y });
      if (!before || before.bar[4] < from && bar[3] < from || before.bar[4] > to) continue;
      pen.globalAlpha = Math.max(0.08, (bar[5] ?? 0.4) ** 2) * (hovered && placed.get(hovered)?.bar[2] !== identity ? 0.25 : 0.85);
      pen.strokeStyle = colour(identity);
      const x1 = x(before.bar[4]), x2 = x(bar[3]), y1 = before.y + BAR / 2 - scroll, y2 = y + BAR / 2 - scroll, bend = x2 > x1 ? Math.max(6, (x2 - x1) / 2) : 6;
      pen.beginPath(); pen.moveTo(x1, y1); pen.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2); pen.stroke();
    }
    for (const { bar, y } of placed.values()) {
      const x1 = x(bar[3]), x2 = Math.max(x(bar[4]), x1 + 2), top = y - scroll;
      if (x2 < LEFT || x1 > width || top < -BAR || top > height) continue;
      pen.globalAlpha = hovered && placed.get(hovered)?.bar[2] !== bar[2] ? 0.35 : 1;
      pen.fillStyle = colour(bar[2]);
      pen.beginPath(); pen.roundRect(x1, top, x2 - x1, BAR, 3); pen.fill();
      if (bar[0] === chosen) { pen.globalAlpha = 1; pen.strokeStyle = ink; pen.lineWidth = 2; pen.strokeRect(x1 - 2, top - 2, x2 - x1 + 4, BAR + 4); }
    }
    pen.restore(); pen.globalAlpha = 1;
    pen.fillStyle = card; pen.fillRect(0, TOP - 6, LEFT - 4, height);
    for (const lane of lanes) {
      const top = lane.y - scroll;
      pen.fillStyle = by === "person" ? colour(lane.key) : ink;
      if (by === "person") { pen.beginPath(); pen.arc(6, top + ROW, 4, 0, 7); pen.fill(); pen.fillStyle = ink; }
      pen.fillText(lane.label, by === "person" ? 16 : 0, top + ROW, LEFT - 22);
      pen.strokeStyle = line; pen.lineWidth = 1; pen.beginPath(); pen.moveTo(0, top + lane.height + GAP / 2 - 0.5); pen.lineTo(width, top + lane.height + GAP / 2 - 0.5); pen.stroke();
    }
    pen.fillStyle = card; pen.fillRect(0, 0, width, TOP - 6);
    ticks(width, TOP - 6, soft, line, true);
    if (cursor !== null && cursor > LEFT) { pen.strokeStyle = soft; pen.setLineDash([3, 3]); pen.beginPath(); pen.moveTo(cursor, TOP - 6); pen.lineTo(cursor, height); pen.stroke(); pen.setLineDash([]); }
    if (!lanes.length) { pen.fillStyle = soft; pen.fillText("Nobody was seen in this span. Zoom out, or choose another time.", LEFT + 12, TOP + 24); }
  }
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800].map((s) => s * 1000);
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const brief = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const days = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
  function ticks(width, height, soft, line, words = false) {
    const most = Math.max(2, (width - LEFT) / 110), step = STEPS.find((s) => (to - from) / s <= most) || STEPS.at(-1);
    const shift = new Date(from).getTimezoneOffset() * 60000;
    for (let t = Math.ceil((from - shift) / step) * step + shift; t <= to; t += step) {
      const px = Math.round(x(t)) + 0.5;
      if (px < LEFT) continue;
      const told = step >= 86400000 ? days.format(t) : step < 60000 ? clock.format(t) : brief.format(t);
      if (words && px + 4 + pen.measureText(told).width <= width) { pen.fillStyle = soft; pen.fillText(told, px + 4, 10); }
      pen.strokeStyle = line; pen.lineWidth = 1; pen.beginPath(); pen.moveTo(px, 2); pen.lineTo(px, height); pen.stroke();
    }
  }
  // What is exported is the time that is shown.
  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-open="export"]')) for (const link of document.querySelectorAll("[data-exports] a"))
      link.search = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  }, true);
  function move(begin, end) {
    const width = Math.min(Math.max(end - begin, 2000), 400 * 86400000);
    from = begin; to = begin + width;
    if (from < loaded[0] || to > loaded[1] || (loaded[1] - loaded[0]) / width > 40) { clearTimeout(asking); asking = setTimeout(load, 120); }
    draw();
  }
  const zoom = (factor, middle = (from + to) / 2) => move(middle - (middle - from) * factor, middle + (to - middle) * factor);
  function under(event) {
    const box = canvas.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top + scroll;
    cursor = px;
    for (const { bar, y } of placed.values()) if (py >= y - 2 && py <= y + BAR + 2 && px >= x(bar[3]) - 3 && px <= Math.max(x(bar[4]), x(bar[3]) + 2) + 3) return bar;
    return null;
  }
  async function show(number) {
    chosen = number; draw();
    const answer = await fetch(`/timeline-tracklet/${number}`).catch(() => null);
    panel.innerHTML = answer?.ok ? await answer.text() : '<p class="soft">It is not kept any more.</p>';
  }
  let grabbed = null;
  canvas.addEventListener("pointerdown", (event) => { grabbed = { x: event.clientX, y: event.clientY, from, to, scroll, moved: false }; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (grabbed) {
      const dx = event.clientX - grabbed.x, dy = event.clientY - grabbed.y;
      if (Math.abs(dx) + Math.abs(dy) > 4) grabbed.moved = true;
      if (grabbed.moved) { const ms = (dx / (canvas.clientWidth - LEFT)) * (grabbed.to - grabbed.from); scroll = grabbed.scroll - dy; move(grabbed.from - ms, grabbed.to - ms); tip.hidden = true; }
      return;
    }
    const bar = under(event);
    hovered = bar && bar[2] ? bar[0] : 0;
    tip.hidden = !bar && cursor < LEFT;
    tip.textContent = (bar ? `${name(bar[2])} · ${data.cameras[bar[1]]} · ${clock.format(bar[3])}–${clock.format(bar[4])}` : clock.format(at(cursor)));
    tip.style.left = `${Math.min(cursor + 12, canvas.clientWidth - tip.offsetWidth - 4)}px`;
    tip.style.top = `${event.clientY - canvas.getBoundingClientRect().top + 14}px`;
    canvas.style.cursor = bar ? "pointer" : "crosshair";
    draw();
  });
  canvas.addEventListener("pointerup", (event) => { const moved = grabbed?.moved; grabbed = null; if (!moved) { const bar = under(event); if (bar) show(bar[0]); } });
  canvas.addEventListener("pointerleave", () => { cursor = null; hovered = 0; tip.hidden = true; draw(); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.shiftKey) { scroll += event.deltaY; return draw(); }
    zoom(Math.exp(event.deltaY * 0.0016), at(event.clientX - canvas.getBoundingClientRect().left));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const width = to - from, step = { ArrowLeft: -0.2, ArrowRight: 0.2 }[event.key];
    if (step) move(from + step * width, to + step * width);
    else if (event.key === "+" || event.key === "=") zoom(0.6);
    else if (event.key === "-") zoom(1.6);
    else if (event.key === "ArrowDown") { scroll += 40; draw(); }
    else if (event.key === "ArrowUp") { scroll -= 40; draw(); }
    else return;
    event.preventDefault();
  });
  host.addEventListener("click", (event) => {
    const button = event.target.closest("[data-span],[data-by],[data-zoom]");
    if (!button || button === host) return;
    if (button.dataset.by) { by = button.dataset.by; scroll = 0; for (const one of host.querySelectorAll("[data-by]")) one.setAttribute("aria-pressed", String(one.dataset.by === by)); arrange(); }
    if (button.dataset.zoom) zoom(+button.dataset.zoom);
    if (button.dataset.span) { const [begin, end] = button.dataset.span.split(",").map(Number); move(begin, end); }
  });
  addEventListener("passerby-theme", draw);
  new ResizeObserver(draw).observe(canvas);
  if (chosen) show(chosen);
  load();
};
