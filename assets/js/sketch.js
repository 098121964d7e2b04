// A live chart between two of plotly's drawings: its newest points as lines on a canvas above it. On a machine that
// trains on the same cores a sketch is nearly free, and a drawing of six charts is not.
(() => {
  const { h } = Lab;
  const MOST = 200; // points that wait for plotly at most

  /** Draw what waits (`points`: [xs, ys] for each trace, none to wipe it out) onto the end of `node`'s lines. False
   * where plotly has to draw: a trace begins or has markers, or a point lies outside of an axis that fits itself. */
  Lab.sketch = (node, points) => {
    const size = { width: node.clientWidth, height: node.clientHeight };
    const area = node.data && Lab.plotArea(node, size);
    if (!area) return false;
    const { xaxis, yaxis } = node.layout;
    const pen = canvas(node, size).getContext("2d");
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, size.width, size.height);
    pen.save();
    pen.translate(area.left, area.top);
    pen.beginPath();
    pen.rect(0, 0, area.width, area.height);
    pen.clip();
    const floors = new Map(); // what is stacked so far, by x
    let inside = true;
    points.forEach(([xs, ys], index) => {
      const trace = node.data[index];
      if (!xs.length || (trace.visible ?? true) !== true) return;
      if (!trace.x.length || trace.mode !== "lines" || xs.length > MOST) return (inside = false);
      const line = [[trace.x.at(-1), trace.y.at(-1)], ...xs.map((x, place) => [x, ys[place]])];
      const places = line.map(([x, y]) => {
        if (y === null) return null;
        const low = trace.stackgroup ? floors.get(x) || 0 : null, high = (low || 0) + y;
        if (trace.stackgroup) floors.set(x, high);
        const place = { x: area.x(x), low: low === null ? 0 : area.y(low), high: area.y(high) };
        const after = place.x > area.width, beside = place.high < 0 || place.high > area.height;
        if (after ? xaxis.autorange : beside && yaxis.autorange) inside = false;
        return place;
      });
      if (trace.stackgroup) fill(pen, places, trace);
      else stroke(pen, places, trace.line);
    });
    pen.restore();
    return inside;
  };

  function stroke(pen, places, { color, width, dash }) {
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.setLineDash(dash === "dash" ? [9, 9] : dash === "dot" ? [3, 3] : []);
    pen.beginPath();
    let next = "moveTo"; // a gap begins a new line
    for (const place of places) {
      if (place) pen[next](place.x, place.high);
      next = place ? "lineTo" : "moveTo";
    }
    pen.stroke();
  }
  function fill(pen, places, trace) {
    const drawn = places.filter(Boolean);
    pen.fillStyle = trace.fillcolor;
    pen.beginPath();
    for (const { x, high } of drawn) pen.lineTo(x, high);
    for (const { x, low } of drawn.reverse()) pen.lineTo(x, low);
    pen.fill();
    stroke(pen, places, trace.line);
  }

  function canvas(chart, { width, height }) {
    const node = chart.labSketch || (chart.labSketch = h("canvas", { class: "lab-sketch", "aria-hidden": "true" }));
    if (!node.isConnected) chart.append(node);
    const wide = Math.round(width * devicePixelRatio), high = Math.round(height * devicePixelRatio);
    if (node.width !== wide || node.height !== high) {
      Object.assign(node, { width: wide, height: high });
      Object.assign(node.style, { width: `${width}px`, height: `${height}px` });
    }
    return node;
  }
})();
