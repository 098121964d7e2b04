// One token on its way through a frozen matrix and its low-rank detour, step by step, with the model's own numbers.
(() => {
  const { h, put } = Lab;
  const { number } = Lab.format;
  const CELLS = 40, TOP = 22, TALL = 176;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** At most CELLS of the values, evenly spaced. */
  const sample = (values) => (values.length <= CELLS ? values : Array.from({ length: CELLS }, (_, i) => values[Math.floor((i * values.length) / CELLS)]));
  const length = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

  /** A vector as a strip of cells: orange above zero, blue below, strength by size. */
  function strip(x, y, tall, values, name, top) {
    const cells = sample(values), each = tall / cells.length;
    const largest = top || Math.max(...values.map(Math.abs), 1e-12);
    return h("g", {},
      cells.map((value, i) => h("rect", { x, y: y + i * each, width: 13, height: Math.max(0.6, each - 0.4),
        fill: value >= 0 ? "#d55e00" : "#0072b2", "fill-opacity": Math.min(1, 0.06 + Math.abs(value) / largest) }, h("title", {}, number(value)))),
      h("rect", { x, y, width: 13, height: tall, fill: "none", stroke: "var(--lab-line-strong)", "stroke-width": 0.7 }),
      h("text", { x: x + 6.5, y: y - 5, "text-anchor": "middle", class: "lab-flow-name" }, name));
  }
  const box = (points, name, size, trained) => h("g", {},
    h("path", { d: `M${points.map((p) => p.join(" ")).join("L")}Z`, fill: trained ? "#0072b2" : "var(--lab-frozen)", "fill-opacity": trained ? 0.35 : 0.8, stroke: trained ? "#0072b2" : "var(--lab-line-strong)" }),
    h("text", { x: middle(points, 0), y: middle(points, 1), "text-anchor": "middle", class: "lab-flow-letter" }, name),
    h("text", { x: middle(points, 0), y: middle(points, 1) + 13, "text-anchor": "middle", class: "lab-flow-size" }, size));
  const middle = (points, axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;

  Lab.define("flow", (root, { props, watch }) => {
    let stage = 5, timer = null;
    const picture = h("div", { class: "lab-flow" }), words = h("p", { class: "lab-flow-words", "aria-live": "polite" });
    const play = h("button", { class: "lab-button small primary", onclick: () => (timer ? halt() : run()) }, "Play");
    const step = h("button", { class: "lab-button small", onclick: () => { halt(); stage = stage >= 5 ? 0 : stage + 1; draw(); } }, "Step");
    root.append(picture, words, h("div", { class: "row" }, play, step));

    function halt() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    }
    function run() {
      stage = 0;
      draw();
      play.textContent = "Pause";
      timer = setInterval(() => {
        if (!root.isConnected || stage >= 5) return halt();
        stage += 1;
        draw();
      }, calm.matches ? 1600 : 1000);
    }
    function draw() {
      const value = props.value || {};
      if (!value.x) {
        put(picture);
        words.textContent = value.text || "";
        play.hidden = step.hidden = true;
        return;
      }
      play.hidden = step.hidden = false;
      const { x, ax, bax, wx, h: out, k, d, r } = value;
      const low = TOP + TALL + 42, tall = 96, top = Math.max(...out.map(Math.abs), ...wx.map(Math.abs), 1e-12);
      const seen = (from, node) => (stage >= from ? node : null);
      const dot = (path, from) => stage === from && !calm.matches && h("circle", { r: 3.5, fill: "var(--lab-accent)", style: { "offset-path": `path("${path}")` }, class: "lab-flow-dot" });
      const small = Math.max(10, Math.min(tall * 0.5, r * 4)), at = low + (tall - small) / 2;
      put(picture, h("svg", { viewBox: "0 0 340 342", role: "img", "aria-label": `The token ${value.token}: x of ${k}, Ax of ${r}, BAx and h of ${d} numbers` },
        strip(8, TOP, TALL, x, "x"),
        h("path", { d: `M21 ${TOP + 88} H60 M204 ${TOP + 88} H232 M14 ${TOP + TALL} V${low + 48} H40 M246 ${TOP + 88} H306`, class: "lab-flow-line" }),
        box([[60, TOP + 8], [204, TOP + 8], [204, TOP + 168], [60, TOP + 168]], "W", `${d}×${k}, frozen`, false),
        seen(1, strip(232, TOP, TALL, wx, "Wx", top)),
        box([[40, low], [108, at], [108, at + small], [40, low + tall]], "A", `${r}×${k}`, true),
        seen(2, strip(112, at, small, ax, "Ax")),
        box([[129, at], [197, low], [197, low + tall], [129, at + small]], "B", `${d}×${r}`, true),
        seen(3, strip(202, low, tall, bax, stage >= 4 ? "(α/r)BAx" : "BAx", stage >= 4 ? top : 0)),
        h("path", { d: `M218 ${low + 48} H276 V${TOP + 96}`, class: "lab-flow-line" }),
        h("circle", { cx: 276, cy: TOP + 88, r: 9, fill: "var(--lab-surface)", stroke: "var(--lab-line-strong)" }),
        h("text", { x: 276, y: TOP + 92, "text-anchor": "middle", class: "lab-flow-letter" }, "+"),
        seen(5, strip(308, TOP, TALL, out, "h", top)),
        dot(`M21 ${TOP + 88} H232`, 1), dot(`M14 ${TOP + TALL} V${low + 48} H110`, 2), dot(`M110 ${low + 48} H206`, 3), dot(`M218 ${low + 48} H276 V${TOP + 96}`, 4), dot(`M246 ${TOP + 88} H306`, 5)));
      words.textContent = [
        `x: what the matrix is given for “${value.token}”, ${k} numbers of length ${number(length(x))}.`,
        `The frozen W makes Wx of it: ${d} numbers, length ${number(length(wx))}.`,
        `A squeezes x into r = ${r} numbers: Ax, length ${number(length(ax))}.`,
        `B spreads them out to ${d}: BAx, length ${number(length(bax) / value.scale)}.`,
        `Scaled by α/r = ${number(value.scale)}: length ${number(length(bax))}.`,
        `h = Wx + (α/r)BAx. The detour has ${number((100 * length(bax)) / (length(wx) || 1))}% of the length of Wx.`,
      ][stage];
    }
    watch("value", draw);
    draw();
  });
})();
