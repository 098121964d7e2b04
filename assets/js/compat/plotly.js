// What the page's scripts know of plotly's charts beyond its documents: where a point is drawn.
(() => {
  const BYTES = { f8: Float64Array, f4: Float32Array, i4: Int32Array, i2: Int16Array, i1: Int8Array,
    u4: Uint32Array, u2: Uint16Array, u1: Uint8Array };

  /** The numbers of a trace: a list, or plotly's form of typed arrays, {dtype, bdata}. */
  Lab.values = (values) => {
    if (!values?.bdata) return Array.from(values || []);
    const bytes = Uint8Array.from(atob(values.bdata), (letter) => letter.charCodeAt(0));
    return Array.from(new BYTES[values.dtype](bytes.buffer));
  };

  /** Why: plotly gives no way from a value to the place of its point. Margins that do not fit themselves leave one
   * answer, from the layout alone: `{left, top, width, height, x(value), y(value)}` in pixels of `node`, x and y from
   * the area's upper left corner. None where margins fit themselves or nothing is drawn yet.
   * Without it: plotly has to draw each point when it comes, which a training on the same processor pays.
   * Seen on: plotly.js 4.1; `tests/browser/test_runs.py` holds it against plotly's own places. */
  Lab.plotArea = ({ layout }, { width, height }) => {
    if (layout?.margin?.autoexpand !== false || !layout.xaxis?.range || !layout.yaxis?.range) return null;
    const { l, r, t, b } = layout.margin;
    const area = { left: Math.round(l), top: Math.round(t) };
    area.width = Math.round(width) - area.left - Math.round(r);
    area.height = Math.round(height) - area.top - Math.round(b);
    area.x = scale(layout.xaxis, 0, area.width);
    area.y = scale(layout.yaxis, area.height, 0);
    return area;
  };
  function scale({ type, range: [low, high] }, from, to) {
    const number = type === "log" ? Math.log10 : Number;
    return (value) => from + (to - from) * (number(value) - low) / (high - low);
  }
})();
