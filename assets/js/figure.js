// Plotly in the page's theme. Figures come from the server without colours of their own for paper and text.
(() => {
  const { h, put, on } = Lab;
  let Plotly = null, loaded;
  const ready = new Promise((resolve) => (loaded = resolve));
  // Kept at load: Gradio puts an older build in window.Plotly when it shows a plot of its own.
  Lab.plotly = (library) => {
    Plotly = library;
    loaded();
  };

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  function themed(layout) {
    const ink = css("--lab-muted"), line = css("--lab-line");
    const next = { ...layout, font: { ...layout.font, family: css("--lab-font"), color: ink } };
    next.hoverlabel = { ...layout.hoverlabel, bgcolor: css("--lab-surface"), bordercolor: line, font: { size: 11.5, color: css("--lab-ink") } };
    if (next.title) next.title = { ...next.title, font: { ...next.title.font, color: css("--lab-ink") } };
    for (const name of Object.keys(layout)) {
      if (/^[xyz]axis\d*$/.test(name)) next[name] = { automargin: true, ...layout[name], gridcolor: line, linecolor: line, zerolinecolor: line };
    }
    return next;
  }
  const CONFIG = { responsive: true, displaylogo: false, displayModeBar: "hover", doubleClick: "reset",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    toImageButtonOptions: { format: "png", scale: 2 } };

  const charts = new Set();
  /** Draw `figure` into `node`, or change what is there: zoom and hidden traces stay (uirevision). With `later`, one out
   * of sight is drawn when it is seen. */
  async function draw(node, figure, later) {
    await ready;
    node.labLayout = figure.layout;
    node.labWaiting = null;
    node.labDue = figure;
    charts.add(node);
    seen.observe(node);
    if (!later || inSight(node)) await flush(node);
  }
  function inSight(node) {
    const { top, bottom } = node.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  }
  /** Add points to the traces: `points` holds [xs, ys] for each trace. Plotly draws them if they cannot be sketched and
   * either its last drawing is `rest` milliseconds old or a trace would double, as at the start; or if somebody points
   * at the chart. One out of sight takes them when it is seen again: drawing what nobody looks at would cost the
   * training its processor. */
  async function extend(node, points, rest) {
    await ready;
    if (!points.some(([xs]) => xs.length)) return;
    node.labWaiting = node.labWaiting ? node.labWaiting.map(([xs, ys], index) => [[...xs, ...points[index][0]], [...ys, ...points[index][1]]]) : points;
    if (node.labSeen === false || node.labDue) return;
    if (!node.labGrows) grow(node);
    if (node.matches(":hover")) return flush(node);
    if (Lab.sketch(node, node.labWaiting)) return;
    const doubled = node.labWaiting.some(([xs], index) => xs.length && xs.length >= node.data[index].x.length);
    if (doubled || performance.now() - node.labDrawn >= rest) await flush(node);
  }
  /** Have plotly draw what waits: a whole figure, and points. */
  async function flush(node) {
    const { labDue: due, labWaiting: points } = node;
    if (!due && !points) return;
    node.labDue = node.labWaiting = null;
    node.labDrawn = performance.now();
    if (due) await Plotly.react(node, due.data, themed(due.layout), CONFIG);
    if (!points) return;
    const places = points.map(([xs], index) => (xs.length ? index : -1)).filter((index) => index >= 0);
    await Plotly.extendTraces(node, { x: places.map((index) => points[index][0]), y: places.map((index) => points[index][1]) }, places);
  }
  /** The first points: from now on the sketch follows what plotly draws, and who points at the chart gets all by plotly. */
  function grow(node) {
    node.labGrows = true;
    node.addEventListener("pointerenter", () => flush(node));
    node.on("plotly_afterplot", () => Lab.sketch(node, node.labWaiting || []));
  }
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      target.labSeen = isIntersecting;
      if (isIntersecting) flush(target);
    }
  });
  async function relayout(node, change) {
    await ready;
    await flush(node);
    if (node.data) await Plotly.relayout(node, change);
  }
  function clear(node) {
    charts.delete(node);
    node.labDue = node.labWaiting = null;
    seen.unobserve(node);
    if (node.data) Plotly.purge(node);
  }
  /** The chart as a picture, on the page's own ground: an address that holds all of it. */
  async function image(node) {
    await flush(node);
    const ground = css("--lab-surface"), { width, height } = node.getBoundingClientRect();
    const layout = { ...themed(node.labLayout), paper_bgcolor: ground, plot_bgcolor: ground };
    return Plotly.toImage({ data: node.data, layout }, { format: "png", width: Math.max(width, 480), height: height || node.labLayout.height || 280, scale: 2 });
  }
  Lab.chart = { draw, extend, flush, relayout, clear, image };

  on("theme", () => {
    for (const node of charts) {
      if (!node.isConnected) charts.delete(node);
      else if (node.data && !node.labDue) relayout(node, themed({ ...node.labLayout, ...axes(node) }));
    }
  });
  /** The axes as they are now: a new theme must not undo a zoom. */
  function axes(node) {
    const now = {};
    for (const name of Object.keys(node.labLayout)) {
      if (/^[xy]axis\d*$/.test(name) && node.layout[name]) {
        const { type, range, autorange } = node.layout[name];
        now[name] = { ...node.labLayout[name], type, ...(autorange ? { autorange } : { range }) };
      }
    }
    return now;
  }
  // A chart that was hidden when it was drawn takes its width when it is shown.
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (!contentRect.width || !target.data || target.labDue) continue;
      const top = target.labTop?.(contentRect.width); // the room above that its legend needs in this width
      if (top === undefined || top === target.layout.margin.t) Plotly.Plots.resize(target);
      else Plotly.relayout(target, { "margin.t": top, autosize: true });
    }
  });

  /** The widget behind `lab.ui.figure.Figure`: one plotly figure, or a sentence in its place. */
  Lab.define("figure", (root, { props, watch }) => {
    const node = h("div", { class: "lab-figure" });
    sizes.observe(node);
    const words = h("p", { class: "muted", hidden: true });
    root.append(node, words);
    async function show() {
      const value = props.value || {};
      words.hidden = !value.text;
      node.hidden = !value.figure;
      words.textContent = value.text || "";
      if (!value.figure) return clear(node);
      node.style.height = `${value.figure.layout.height || 280}px`;
      if (value.label) {
        node.setAttribute("role", "group");
        node.setAttribute("aria-label", value.label);
      }
      await draw(node, value.figure);
    }
    watch("value", show);
    show();
  });
  Lab.sizes = sizes;
})();
