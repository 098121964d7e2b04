// One control for each knob: the server's description decides which. Each answers {node, get, set}.
(() => {
  const { h, put } = Lab;
  let serial = 0;
  /** The control's place on the page, where lessons point: "knob-rank". Knobs of other forms have none. */
  const place = (knob) => (knob.elsewhere ? null : `knob-${knob.name}`);

  function label(knob, id) {
    return h("label", { class: "lab-label", for: id, "data-help": knob.help }, knob.label);
  }

  /** Where a slider stands for a value, and the other way round; logarithmic where the range asks for it. */
  function scale(knob) {
    const low = knob.low, high = knob.high;
    const log = knob.log || (low > 0 && high / low >= 64);
    const whole = knob.kind === "int";
    const decimals = (value) => (whole ? Math.round(value) : +value.toPrecision(log ? 2 : 3));
    if (log) {
      const span = Math.log(high / low);
      return { log, from: (p) => decimals(low * Math.exp((span * p) / 1000)), to: (v) => (1000 * Math.log(Math.max(v, low) / low)) / span };
    }
    return { log, from: (p) => decimals(low + ((high - low) * p) / 1000), to: (v) => (1000 * (v - low)) / (high - low) };
  }

  /** Half-open and very wide ranges get a number field alone; a log slider covers what people use of a wide one. */
  function sliding(knob) {
    if (knob.low === null || knob.high === null) return null;
    if (knob.low > 0 || knob.log) return knob;
    return knob.high <= 1000 ? knob : null;
  }

  function written(value) {
    if (Number.isInteger(value)) return String(value);
    return Math.abs(value) < 1e-3 ? value.toExponential().replace(/\.?0*e/, "e") : String(+value.toPrecision(6));
  }

  function numeric(knob, changed) {
    const id = `k${++serial}`;
    const field = h("input", {
      id, class: "lab-number mono", type: "text", inputmode: "decimal", autocomplete: "off",
      "aria-describedby": `${id}-help`,
      onchange: () => commit(field.value),
    });
    const whole = knob.kind === "int";
    let current = knob.default;
    const range = sliding(knob) && scale(knob);
    const slider = range && h("input", {
      type: "range", min: 0, max: 1000, step: range.log ? 1 : whole ? 1000 / (knob.high - knob.low) : 1, "aria-label": knob.label,
      oninput: () => show(range.from(+slider.value), "live"),
      onchange: () => changed(current),
    });
    slider?.addEventListener("keydown", (event) => {
      const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 2, PageDown: -2 }[event.key];
      if (!direction) return;
      event.preventDefault();
      const big = Math.abs(direction) === 2;
      let next = range.log && (big || !whole) ? current * (big ? 2 : 1.1) ** Math.sign(direction) : current + Math.sign(direction) * (whole ? (big ? 10 : 1) : (knob.high - knob.low) / (big ? 10 : 100));
      next = Math.min(knob.high, Math.max(knob.low, next));
      show(whole ? Math.round(next) : +next.toPrecision(2), "live");
      changed(current);
    });
    const fits = (value) => Number.isFinite(value) && (!whole || Number.isInteger(value))
      && (knob.low === null || value >= knob.low) && (knob.high === null || value <= knob.high);
    function mark(good) {
      field.classList.toggle("bad", !good);
      if (good) field.removeAttribute("aria-invalid");
      else field.setAttribute("aria-invalid", "true");
    }
    /** A form that is opened again may hold what was mistyped: it stands there as it was, marked. */
    function show(value, how) {
      current = value;
      field.value = Number.isFinite(value) ? written(value) : String(value);
      if (slider && Number.isFinite(value)) {
        slider.value = range.to(value);
        slider.style.setProperty("--at", `${Math.min(100, Math.max(0, range.to(value) / 10))}%`);
        slider.setAttribute("aria-valuetext", field.value);
      }
      mark(fits(value));
      if (how) changed(current, how);
    }
    function commit(text) {
      const value = Number(text.trim().replace(",", "."));
      const none = text.trim() === "" || !Number.isFinite(value);
      if (none || !fits(value)) {
        mark(false);
        changed(none ? text : value, "bad");
        return;
      }
      show(value);
      changed(value);
    }
    const node = h("div", { class: "lab-knob", "data-knob": knob.name, id: place(knob) },
      h("div", { class: "head" }, label(knob, id), field), slider || null,
      h("span", { id: `${id}-help`, class: "lab-hidden" }, knob.help));
    return { node, get: () => current, set: (value) => show(value) };
  }

  function choice(knob, changed) {
    const id = `k${++serial}`;
    const select = h("select", { id, onchange: () => changed(select.value) },
      knob.choices.map((item) => h("option", { value: item }, item)));
    return {
      node: h("div", { class: "lab-knob line", "data-knob": knob.name, id: place(knob) }, label(knob, id), select),
      get: () => select.value,
      set: (value) => (select.value = value),
    };
  }

  function check(knob, changed) {
    const id = `k${++serial}`;
    const box = h("input", { id, type: "checkbox", onchange: () => changed(box.checked) });
    return {
      node: h("div", { class: "lab-knob line", "data-knob": knob.name, id: place(knob) }, label(knob, id), box),
      get: () => box.checked,
      set: (value) => (box.checked = value),
    };
  }

  function text(knob, changed) {
    const id = `k${++serial}`;
    const field = h("input", { id, type: "text", spellcheck: "false", onchange: () => changed(field.value.trim()) });
    return {
      node: h("div", { class: "lab-knob", "data-knob": knob.name, id: place(knob) }, h("div", { class: "head" }, label(knob, id)), field),
      get: () => field.value.trim(),
      set: (value) => (field.value = value),
    };
  }

  /** A set of names, offered as chips once the model is known; any other name can be written. */
  function names(knob, changed) {
    const id = `k${++serial}`;
    let chosen = [], offered = [], effective = [], sizes = {};
    const chips = h("div", { class: "lab-chips", role: "group", "aria-label": knob.label });
    const field = h("input", {
      id, type: "text", spellcheck: "false", placeholder: "or write a name", "aria-label": `${knob.label}: another name`,
      onchange: () => {
        const more = field.value.split(",").map((item) => item.trim()).filter(Boolean);
        field.value = "";
        pick(more.includes("all-linear") ? ["all-linear"] : [...new Set([...own(), ...more])]);
      },
    });
    function pick(next) {
      chosen = next;
      draw();
      changed([...chosen]);
    }
    /** The names that are chosen: "all-linear" stands alone, for every one that is offered. */
    const own = () => (chosen.includes("all-linear") ? offered : chosen);
    function toggle(name) {
      if (name === "all-linear") return pick(chosen.includes(name) ? [] : [name]);
      // What an empty choice stands for is the start of one's own.
      const from = chosen.length ? own() : effective;
      pick(from.includes(name) ? from.filter((item) => item !== name) : [...from, name]);
    }
    function draw() {
      const all = chosen.includes("all-linear");
      const extra = chosen.filter((item) => !offered.includes(item) && item !== "all-linear");
      const chip = (name, pressed, words) =>
        h("button", { type: "button", class: "lab-pick", "aria-pressed": String(pressed), "data-help": words, onclick: () => toggle(name) }, name);
      put(chips,
        offered.map((name) => chip(name, all || chosen.includes(name) || (!chosen.length && effective.includes(name)), sizes[name])),
        extra.map((name) => chip(name, true, "written by hand")),
        knob.source === "modules" ? chip("all-linear", all, "every linear map in the blocks") : null,
        chosen.length ? h("button", { type: "button", class: "lab-pick reset", onclick: () => pick([]) }, "default") : null);
    }
    draw();
    return {
      node: h("div", { class: "lab-knob", "data-knob": knob.name, id: place(knob) }, h("div", { class: "head" }, label(knob, id)), chips, field),
      get: () => [...chosen],
      set: (value) => {
        chosen = [...(value || [])];
        draw();
      },
      /** What the model has, and which of it an empty choice reaches. */
      offer: (model, matched) => {
        if (!knob.source) return;
        offered = model.targets;
        sizes = model.sizes;
        effective = matched;
        draw();
      },
    };
  }

  Lab.knob = (knob, changed) => {
    const make = knob.kind === "bool" ? check : knob.kind === "names" ? names : knob.kind === "text" ? (knob.choices.length ? choice : text) : numeric;
    return make(knob, changed);
  };
})();
