// See before loading: each trained tensor to scale beside its W, the counts by formula, memory and disk.
// Where a count is a product of letters (r·k), a moved slider is answered here, without a round trip.
(() => {
  const { h, put, on, say, call, note, format, debounce } = Lab;
  const { count, short, bytes, percent } = format;

  /** The value of a formula such as "d·r" for the letters in `env`; null where it is not a plain product. */
  function product(formula, env) {
    let value = 1;
    for (const factor of formula.split("·").map((item) => item.trim())) {
      const number = /^\d+$/.test(factor) ? Number(factor) : env[factor];
      if (!Number.isFinite(number)) return null;
      value *= number;
    }
    return value;
  }

  function letters(method, plan) {
    const env = {};
    for (const knob of method.knobs) {
      const value = plan.settings[knob.name];
      if (knob.symbol && knob.symbol !== "d" && knob.symbol !== "k" && Number.isFinite(value)) env[knob.symbol] = value;
    }
    return env;
  }

  /** The groups with their terms recomputed for the letters; null if one of them cannot be. */
  function recomputed(groups, env, before) {
    const next = [];
    for (const group of groups) {
      if (group.rest) return null;
      const here = { ...env, d: group.d, k: group.k };
      const was = { ...before, d: group.d, k: group.k };
      const terms = [];
      for (const term of group.terms) {
        const factors = term.formula.split("·").map((item) => item.trim());
        if (!factors.some((item) => item in env)) {
          terms.push(term);
          continue;
        }
        const old = factors.map((item) => product(item, was));
        const size = factors.map((item) => product(item, here));
        if (size.includes(null) || old.includes(null)) return null;
        // The formula's factors in the order of the tensor's dimensions, whichever way it is written.
        const straight = old.length === term.shape.length && old.every((value, index) => value === term.shape[index]);
        const turned = old.length === term.shape.length && old.every((value, index) => value === term.shape[term.shape.length - 1 - index]);
        if (!straight && !turned) return null;
        const shape = straight ? size : [...size].reverse();
        terms.push({ ...term, shape, count: shape.reduce((a, b) => a * b, 1) });
      }
      next.push({ ...group, terms });
    }
    return next;
  }

  const trained = (group) => (group.rest ? group.total : group.count * group.terms.reduce((sum, term) => sum + term.count, 0));

  // ---- one group: W in grey, what is trained in the method's colour, all at one scale
  const TALL = 118, WIDE = 168;
  const area = (shape) => ({ rows: shape.length > 1 ? shape[0] : 1, columns: shape.length > 1 ? shape.slice(1).reduce((a, b) => a * b, 1) : shape[0] });

  /** The two factors of a product as large as W, the tall one first; null where the terms are none. */
  function factors(group) {
    const two = group.terms.filter((term) => term.shape.length === 2);
    if (!group.d || group.itself || two.length !== 2) return null;
    const [tall, wide] = two[0].shape[0] === group.d && two[0].shape[1] === two[1].shape[0] ? two : [two[1], two[0]];
    return tall.shape[0] === group.d && wide.shape[1] === group.k && tall.shape[1] === wide.shape[0] ? [tall, wide] : null;
  }

  const ROOM = 206;

  /** The group's picture; what W has beside it goes below where the card has no room. */
  function drawing(group, scale, colour, below = false) {
    const size = (value) => Math.max(value * scale, 1.5);
    const parts = [];
    let right = 0, bottom = 0;
    function box(x, y, rows, columns, name, fill, words) {
      const width = size(columns), height = size(rows);
      parts.push(h("rect", { x, y, width, height, fill, rx: Math.min(1.5, width / 3, height / 3), class: fill === colour ? "trained" : null, "data-tensor": name, "data-rows": rows, "data-columns": columns }, h("title", {}, words)));
      right = Math.max(right, x + width);
      bottom = Math.max(bottom, y + height);
      return { width, height };
    }
    const write = (x, y, text, anchor = "start", more = "") => parts.push(h("text", { x, y, "text-anchor": anchor, class: more }, text));
    const about = (term) => `${term.name}: ${term.shape.join("×")} = ${term.formula}, trained`;
    const pair = factors(group);
    let left = 0;
    if (pair) {
      // As in a multiplication table: B beside W and A above it span a product of W's own size.
      const [tall, wide] = pair;
      const b = size(tall.shape[1]), a = size(wide.shape[0]), gap = 5;
      const x = b + gap, y = a + gap + 13;
      box(0, y, tall.shape[0], tall.shape[1], tall.name, colour, about(tall));
      box(x, 13, wide.shape[0], wide.shape[1], wide.name, colour, about(wide));
      const w = box(x, y, group.d, group.k, "W", "var(--lab-frozen)", `W: ${group.d}×${group.k}, frozen`);
      write(x, 9, `${wide.name} ${wide.shape.join("×")}`);
      right = Math.max(right, x + 7 * `${wide.name} ${wide.shape.join("×")}`.length);
      write(0, y + w.height + 13, `${tall.name} ${tall.shape.join("×")}`);
      bottom = y + w.height + 13;
      if (w.height > 18 && w.width > 60) write(x + w.width / 2, y + w.height / 2 + 4, `W ${group.d}×${group.k}`, "middle", "inside");
      left = right;
    } else if (group.d) {
      const mine = group.itself || group.head;
      const w = box(0, 0, group.d, group.k, "W", mine ? colour : "var(--lab-frozen)", `W: ${group.d}×${group.k}, ${mine ? "trained" : "frozen"}`);
      if (w.height > 18 && w.width > 60) write(w.width / 2, w.height / 2 + 4, `W ${group.d}×${group.k}`, "middle", mine ? "inside trained" : "inside");
      left = right;
    }
    const rest = group.itself || group.head ? (group.d ? [] : group.terms) : group.terms.filter((term) => !pair?.includes(term));
    let y = 0;
    if (below && rest.length) {
      y = bottom + 10;
      left = -10;
    }
    rest.slice(0, 5).forEach((term, index) => {
      const { rows, columns } = area(term.shape);
      // Tall tensors stand side by side, flat ones lie below each other.
      if (index === 0 && left) left += 10;
      const tall = size(rows) > 24;
      const { width, height } = box(left, y, rows, columns, term.name, colour, about(term));
      write(left, y + height + 12, `${term.name} ${term.shape.join("×")}`);
      bottom = Math.max(bottom, y + height + 13);
      right = Math.max(right, left + 7 * `${term.name} ${term.shape.join("×")}`.length);
      if (tall) left += Math.max(width + 8, 7 * `${term.name} ${term.shape.join("×")}`.length);
      else y += height + 22;
    });
    right = Math.max(right, pair ? 7 * `${pair[0].name} ${pair[0].shape.join("×")}`.length : 0);
    if (right > ROOM && !below && rest.length && group.d) return drawing(group, scale, colour, true);
    return h("svg", { viewBox: `-1 -1 ${right + 2} ${bottom + 4}`, width: right + 2, height: bottom + 4, role: "img",
      "aria-label": `${group.label}: ${group.d ? `W ${group.d}×${group.k}; ` : ""}${group.terms.map((term) => `${term.name} ${term.shape.join("×")}`).join(", ")}` }, parts);
  }

  /** The rank at which the added factors hold as many numbers as W: dk / (d + k), for any count that is linear in it. */
  function breakEven(group, env) {
    const letter = Object.keys(env).find((name) => group.terms.some((term) => term.formula.split("·").map((item) => item.trim()).includes(name)));
    if (!letter || !group.d || group.itself) return null;
    const each = group.terms.reduce((sum, term) => sum + term.count, 0);
    const mine = group.terms.filter((term) => term.formula.includes(letter)).length === group.terms.length;
    return mine && each ? { letter, value: (group.d * group.k * env[letter]) / each } : null;
  }

  function card(group, scale, colour, env) {
    if (group.rest) return h("div", { class: "lab-group rest" }, `${group.label}: ${count(group.total)} trained`);
    const each = group.terms.reduce((sum, term) => sum + term.count, 0);
    const even = breakEven(group, env);
    const whole = group.d * group.k;
    const sum = [...new Set(group.terms.map((term) => term.formula))].join(" + ");
    const lines = [];
    if (group.itself || group.head) lines.push(["trained", `${group.terms.map((term) => term.shape.join("×")).join(" + ")}`, count(each)]);
    else {
      if (whole) lines.push(["frozen", "d·k", count(whole)]);
      lines.push(["trained", sum, count(each)]);
    }
    return h("div", { class: "lab-group", "data-group": group.label },
      h("div", { class: "title" }, h("strong", { class: "mono" }, group.label), group.count > 1 ? h("span", { class: "muted" }, ` ×${group.count}`) : null,
        h("span", { class: "grow" }), group.d ? h("span", { class: "muted mono" }, `${group.d}×${group.k}`) : null),
      h("div", { class: "picture" }, drawing(group, scale, colour)),
      h("table", {}, h("tbody", {}, lines.map(([what, formula, value]) =>
        h("tr", { class: what }, h("td", {}, what), h("td", { class: "mono muted" }, formula), h("td", { class: "mono value" }, value))))),
      whole && !group.itself && !group.head ? h("div", { class: "muted small" }, `${percent(each / whole)} of W`,
        even ? h("span", { "data-help": "At this rank the factors hold as many numbers as W: dk / (d + k). Above it nothing is saved." }, `, break-even at ${even.letter} = ${Math.round(even.value * 10) / 10}`) : null) : null);
  }

  function stack(memory, title, most, ledger) {
    const total = ledger.reduce((sum, [name]) => sum + memory[name], 0);
    return h("div", { class: "lab-bar" },
      h("div", { class: "row" }, h("span", { class: "grow" }, title), h("strong", { class: "mono" }, bytes(total))),
      h("div", { class: "track", role: "img", "aria-label": `${title}: ${ledger.map(([name, words]) => `${words} ${bytes(memory[name])}`).join(", ")}` },
        ledger.filter(([name]) => memory[name]).map(([name, words, colour]) =>
          h("span", { style: { width: `${(100 * memory[name]) / most}%`, background: colour }, "data-help": `${words}: ${bytes(memory[name])}` }))));
  }

  Lab.panel = (root, ledger) => {
    let seen = null, method = null, plan = null, env = {};
    const place = h("div", { class: "lab-panel", "aria-live": "off" });
    root.append(place);
    put(place, h("p", { class: "lab-wait", role: "status" }, "Reading the model's configuration…"));

    function draw(groups) {
      const base = seen.totals.base;
      const total = groups.reduce((sum, group) => sum + trained(group), 0);
      // As peft counts: what a method adds comes on top of the base, a copy of the classification head included.
      const adds = groups.some((group) => !group.rest && !group.itself && !group.head);
      const share = total / (adds ? base + groups.filter((group) => !group.itself).reduce((sum, group) => sum + trained(group), 0) : base);
      const matrices = groups.filter((group) => !group.rest);
      // One scale for all that sits beside a matrix; what does not (an embedding) may be shrunk to fit.
      const extent = (group) => [{ rows: group.d, columns: group.k }, ...group.terms.map((term) => area(term.shape))];
      const fit = (sizes) => Math.min(TALL / Math.max(1, ...sizes.map((item) => item.rows)), WIDE / Math.max(1, ...sizes.map((item) => item.columns)));
      const beside = matrices.filter((group) => group.d && !group.head);
      const common = fit((beside.length ? beside : matrices).flatMap(extent));
      const scale = (group) => (group.rest ? common : Math.min(common, fit(extent(group))));
      const { own, baseline, baseline_title, disk, baseline_disk } = seen.costs;
      const sum = (memory) => ledger.reduce((all, [name]) => all + memory[name], 0);
      const most = Math.max(sum(own), sum(baseline), 1);
      const { data, model } = seen;
      put(place,
        h("div", { class: "lab-total" },
          h("div", {}, h("div", { class: "lab-big mono", id: "trainable-count", "data-count": total }, count(total)),
            h("div", { class: "muted" }, "trained parameters of ", h("span", { class: "mono" }, count(base)), " in the base")),
          h("div", { class: "share" }, h("div", { class: "lab-big mono", id: "trainable-share" }, percent(share)), h("div", { class: "muted" }, "trainable share"))),
        h("div", { class: "lab-share", role: "img", "aria-label": `${percent(share)} of the parameters are trained` },
          h("span", { style: { width: `max(2px, ${Math.min(100, 100 * share)}%)`, background: method.colour } })),
        h("p", { class: "muted small formula" }, h("span", { class: "mono" }, method.formula), seen.totals.head ? ` + the new classification head, ${count(seen.totals.head)}` : ""),
        h("div", { class: "lab-groups" }, groups.map((group) => card(group, scale(group), method.colour, env))),
        h("div", { class: "lab-columns" },
          h("div", {}, h("h3", {}, "Memory while training, estimated"),
            stack(own, method.title, most, ledger),
            method.title === baseline_title ? null : stack(baseline, baseline_title, most, ledger),
            h("div", { class: "lab-legend" }, ledger.map(([, words, colour]) => h("span", {}, h("i", { style: { background: colour } }), words))),
            h("p", { class: "muted small" }, "At its peak, with rows of the full sequence length. Shorter ones need less: Watch counts what a step really held.")),
          h("div", {}, h("h3", {}, "What is left on the disk"),
            h("dl", { class: "lab-facts" },
              h("dt", {}, "This adapter"), h("dd", { class: "mono" }, bytes(disk)),
              h("dt", {}, "A full copy"), h("dd", { class: "mono" }, bytes(baseline_disk)),
              h("dt", {}, "Optimizer state"), h("dd", { class: "mono" }, bytes(own.optimizer))),
            h("p", { class: "small" }, h("span", { class: "muted" }, "At inference: "), method.inference))),
        h("p", { class: "muted small" },
          `${model.architecture}: ${model.layers} layers, ${model.hidden} wide, ${model.heads} heads (${model.kv_heads} for keys and values), ${count(model.vocabulary)} tokens. `,
          `${data.name}: ${count(data.train)} rows, ${data.task}${data.labels.length ? ` into ${data.labels.join(", ")}` : ""}. `,
          `${count(data.steps)} steps make ${data.passes < 10 ? data.passes.toFixed(1) : Math.round(data.passes)} passes.`));
    }

    function show(reply) {
      seen = reply;
      const notes = [reply.reason && note("error", reply.reason.message, reply.reason.hint), reply.warnings.map((item) => note("warn", item.message, item.hint))];
      if (reply.groups.length) {
        draw(reply.groups);
        place.prepend(...[notes].flat(Infinity).filter(Boolean));
      } else refuse(notes);
    }
    /** What is wrong, above the last picture that could be drawn: what was typed is mended by looking at it. */
    function refuse(notes) {
      const shown = [...(place.querySelector(".lab-last") || place).children].filter((node) => !node.matches(".lab-note"));
      put(place, notes, place.querySelector(".lab-total") ? h("div", { class: "lab-last", inert: "", "aria-hidden": "true" }, shown) : null);
    }

    let turn = 0;
    const ask = debounce(async () => {
      const mine = ++turn;
      place.classList.add("busy");
      try {
        const reply = await call("see", plan);
        if (mine !== turn) return;
        env = letters(method, plan);
        show(reply);
        say("seen", reply);
        say("ready", reply.reason ? { reason: reply.reason } : { steps: reply.data.steps });
      } catch (error) {
        if (mine !== turn) return;
        seen = null;
        refuse(note("error", error.message, error.hint));
        say("ready", { reason: { message: error.message, hint: error.hint } });
      } finally {
        if (mine === turn) place.classList.remove("busy");
      }
    }, 60);

    on("plan", (detail) => {
      const same = method === detail.method;
      ({ plan, method } = detail);
      if (detail.how === "live" && seen && same) {
        const now = letters(method, plan);
        const groups = recomputed(seen.groups, now, env);
        if (groups) {
          seen = { ...seen, groups };
          env = now;
          draw(groups);
        }
      }
      ask();
    }, true);
  };
})();
