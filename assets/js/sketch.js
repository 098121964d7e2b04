// A live chart between two of plotly's drawings: its newest points as lines on a canvas above it, in plotly's own
// coordinates. On a machine that trains on the same cores a sketch is nearly free, and a drawing of six charts is not.
(() => {
  const { h } = Lab;
  const MOST = 200; // points that wait for plotly at most

  /** Draw what waits (`points`: [xs, ys] for each trace, none to wipe it out) onto the end of `node`'s lines. False where
   * plotly has to draw: a trace begins or has markers, or a point lies outside of an axis that fits itself to them. */
  Lab.sketch = (node, points) => {
    const { _fullLayout: layout, _fullData: traces } = node;
    if (!layout?.xaxis?.d2p || !traces) return false;
    const pen = canvas(node, layout).getContext("2d");
    const { xaxis, yaxis } = layout;
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, layout.width, layout.height);
    pen.save();
    pen.translate(xaxis._offset, yaxis._offset);
    pen.beginPath();
    pen.rect(0, 0, xaxis._length, yaxis._length);
    pen.clip();
    const floors = new Map(); // what is stacked so far, by x
    let inside = true;
    points.forEach(([xs, ys], index) => {
      const trace = traces[index], drawn = node.data[index];
      if (!xs.length || (drawn.visible ?? true) !== true) return;
      if (!drawn.x.length || trace?.mode !== "lines" || xs.length > MOST) return (inside = false);
      const line = [[drawn.x.at(-1), drawn.y.at(-1)], ...xs.map((x, place) => [x, ys[place]])];
      const places = line.map(([x, y]) => {
        if (y === null) return null;
        const low = trace.stackgroup ? floors.get(x) || 0 : null, high = (low || 0) + y;
        if (trace.stackgroup) floors.set(x, high);
        const place = { x: xaxis.d2p(x), low: low === null ? 0 : yaxis.d2p(low), high: yaxis.d2p(high) };
        const after = place.x > xaxis._length, beside = place.high < 0 || place.high > yaxis._length;
        if (after ? xaxis.autorange : beside && yaxis.autorange) inside = false;
        return place;
      });
      if (trace.stackgroup) area(pen, places, trace);
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
  function area(pen, places, trace) {
    const whole = places.filter(Boolean);
    pen.fillStyle = trace.fillcolor;
    pen.beginPath();
    for (const { x, high } of whole) pen.lineTo(x, high);
    for (const { x, low } of whole.reverse()) pen.lineTo(x, low);
    pen.fill();
    stroke(pen, places, trace.line);
  }

  function canvas(node, { width, height }) {
    const found = node.labSketch || (node.labSketch = h("canvas", { class: "lab-sketch", "aria-hidden": "true" }));
    if (!found.isConnected) node.append(found);
    const wide = Math.round(width * devicePixelRatio), high = Math.round(height * devicePixelRatio);
    if (found.width !== wide || found.height !== high) {
      Object.assign(found, { width: wide, height: high });
      Object.assign(found.style, { width: `${width}px`, height: `${height}px` });
    }
    return found;
  }
})();
