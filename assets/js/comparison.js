// One comparison: its queue, verdict, pictures and table.
(() => {
  const { h, put, say, state, complain, confirm, format } = Lab;
  const WORDS = { running: "Training", waiting: "Waiting", done: "Done", stopped: "Stopped", failed: "Failed", interrupted: "Interrupted", missing: "Run deleted", excluded: "Cannot run", published: "Published" };

  /** Draw comparison `id` into `place`; the result's `refresh` asks for what is new. */
  Lab.comparison = (place, { id, ask, offer, again, gone }) => {
    let now = null, stamp = "", hidden = new Set(), sort = ["score", true];
    const options = { overlay: { shown: "loss", along: "step", smooth: 0.9, log_x: false, log_y: false }, pareto: { x: "trainable", y: "score", log_x: true }, heat: { across: "", up: "", quantity: "score" } };
    const title = h("h2", {}), facts = h("p", { class: "muted" }), queue = h("div", {}), words = h("ul", { class: "cmp-verdict", id: "cmp-verdict" });
    const tools = h("div", { class: "row", id: "cmp-tools" }), filter = h("div", { class: "cmp-chips", "aria-label": "Members shown" });
    const figures = {}, table = h("div", { class: "lab-table-box lab-card cmp-table", tabindex: "0", role: "region", "aria-label": "Figures" }), replies = h("div", {});
    const differ = h("input", { type: "checkbox", id: "cmp-differ", onchange: () => rows() });

    const pick = (label, values, of, key, kind) => h("label", {}, h("span", { class: "muted" }, `${label} `), h("select", { "aria-label": label, "data-option": `${kind}-${key}`, onchange: (event) => { of[key] = event.target.value; draw(kind); } },
      values.map(([value, text]) => h("option", { value, selected: of[key] === value }, text))));
    const flag = (label, of, key, kind) => h("label", {}, h("input", { type: "checkbox", checked: of[key], onchange: (event) => { of[key] = event.target.checked; draw(kind); } }), ` ${label}`);
    const quantities = () => Object.entries(offer.quantities);
    function panel(kind, heading, note, controls) {
      const chart = h("div", { class: "lab-figure", id: `cmp-${kind}` }), empty = h("p", { class: "muted" });
      Lab.sizes.observe(chart);
      figures[kind] = { chart, empty };
      return h("section", { class: "lab-card cmp-panel" },
        h("div", { class: "row" }, h("h3", {}, heading), h("span", { class: "grow" }),
          h("button", { class: "lab-button quiet small", "aria-label": `${heading} as PNG`, onclick: () => png(kind, heading) }, "PNG"),
          h("button", { class: "lab-button quiet small", "aria-label": `${heading} as CSV`, onclick: () => csv(kind, heading) }, "CSV")),
        h("p", { class: "muted small" }, note), controls || [], h("div", { class: "cmp-wide" }, chart), empty);
    }
    const heatControls = h("span", { class: "row" });
    const layersButton = h("span", { class: "row" }, h("button", { class: "lab-button small", id: "cmp-layers-go", onclick: () => draw("layers") }, "Measure"));
    put(place, h("div", { class: "cmp-view" },
      h("div", { class: "row" }, title, h("span", { class: "grow" }), tools), facts, queue, words,
      h("div", { class: "row cmp-filter" }, filter),
      h("div", { class: "cmp-panels" },
        panel("pareto", "Trade-offs", "Nothing beats the joined points in both. Click a point to open its run.", h("span", { class: "row" }, pick("across", quantities(), options.pareto, "x", "pareto"), pick("up", quantities(), options.pareto, "y", "pareto"), flag("log", options.pareto, "log_x", "pareto"))),
        panel("overlay", "On the way", "Every member; seeds of one arm share their line.", h("span", { class: "row" }, pick("show", Object.entries(offer.shown), options.overlay, "shown", "overlay"), pick("along", Object.entries(offer.along), options.overlay, "along", "overlay"),
          h("label", {}, h("span", { class: "muted" }, "smooth "), h("input", { type: "range", min: 0, max: 0.98, step: 0.02, value: 0.9, "aria-label": "Smoothing", onchange: (event) => { options.overlay.smooth = Number(event.target.value); draw("overlay"); } })),
          flag("log x", options.overlay, "log_x", "overlay"), flag("log y", options.overlay, "log_y", "overlay"))),
        panel("scores", "Scores", "A point a seed, the mean larger; the dashed line is the untrained base."),
        panel("ledger", "Peak memory by category", "The peak of each category; they do not all peak at once."),
        panel("parallel", "Everything at once", "A line an arm; up is better on every axis."),
        panel("heat", "Two settings", "Means over seeds.", heatControls),
        panel("layers", "Where each method changed the model", "‖ΔW‖ / ‖W‖ by layer, and the directions of the most changed matrix. Measured from the saved adapters.", layersButton)),
      h("div", { class: "row" }, h("h3", {}, "Figures"), h("span", { class: "grow" }), h("label", {}, differ, " differences only")),
      table, replies));

    async function act(action, more = {}) {
      try {
        await ask("control", { id, action, ...more });
        say("runs");
        say("focus");
        await refresh();
      } catch (error) {
        complain(error);
      }
    }
    async function take(what) {
      try {
        const { path, name } = await ask("export", { id, what });
        h("a", { href: `${Lab.root}/gradio_api/file=${path}`, download: name }).click();
      } catch (error) {
        complain(error);
      }
    }
    function csv(kind, heading) {
      const data = figures[kind].chart.data || [];
      const lines = [["trace", "x", "y"]];
      for (const trace of data) {
        if (trace.z) trace.z.forEach((row, up) => row.forEach((value, across) => lines.push([`${trace.x[across]} × ${trace.y[up]}`, trace.x[across], value])));
        else Lab.values(trace.x).forEach((x, index) => lines.push([trace.name || "", x, Lab.values(trace.y)[index]]));
      }
      const quoted = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
      const link = h("a", { href: URL.createObjectURL(new Blob([lines.map((line) => line.map(quoted).join(",")).join("\n")], { type: "text/csv" })), download: `${heading}.csv` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }
    async function png(kind, heading) {
      if (figures[kind].chart.data) h("a", { href: await Lab.chart.image(figures[kind].chart), download: `${heading}.png` }).click();
    }
    /** Open a member's run on the bench, beside the lesson of its method. */
    const openRun = (run) => Lab.openRun(run);

    async function draw(kind) {
      const { chart, empty } = figures[kind];
      if (kind === "heat" && (!options.heat.across || !options.heat.up)) return put(empty, "Two settings that vary make a heat map.");
      const only = hidden.size ? now.rows.map((row) => row.arm).filter((arm) => !hidden.has(arm)) : null;
      try {
        if (kind === "layers") put(empty, "Measuring…");
        const figure = kind === "layers" ? await ask("layers", { id }) : await ask("picture", { id, kind, only, options: options[kind] || {} });
        put(empty, figure ? "" : "Nothing measured yet.");
        chart.hidden = !figure;
        if (!figure) return Lab.chart.clear(chart);
        chart.style.height = `${figure.layout.height || 360}px`;
        chart.setAttribute("role", "group"); // its tools can be focused: an image may hold none
        chart.setAttribute("aria-label", chart.closest("section").querySelector("h3").textContent);
        await Lab.chart.draw(chart, figure);
        chart.removeAllListeners("plotly_click");
        chart.on("plotly_click", ({ points }) => {
          const run = points[0].data.meta || [].concat(points[0].customdata || [])[0];
          if (run) openRun(run);
        });
      } catch (error) {
        put(empty, Lab.note("error", error.message, error.hint));
      }
    }

    /** Replace what `node` holds. A fold that is open stays open, and a button that has the focus keeps it. */
    function redraw(node, ...children) {
      const called = (item) => (item.tagName === "SUMMARY" ? "fold" : item.ariaLabel || item.textContent);
      const open = node.querySelector("details")?.open;
      const focused = node.contains(document.activeElement) ? called(document.activeElement) : null;
      put(node, ...children);
      if (open) node.querySelector("details")?.setAttribute("open", "");
      if (focused) [...node.querySelectorAll("button, summary")].find((item) => called(item) === focused)?.focus();
    }

    function header() {
      title.textContent = now.name;
      facts.textContent = now.protocol;
      const button = (text, work, more = "", name = null) => h("button", { class: `lab-button ${more}`, id: name, onclick: work }, text);
      const live = ["running", "paused"].includes(now.state);
      redraw(tools,
        now.state === "running" ? button("Pause", () => act("pause"), "", "cmp-pause") : null,
        now.state === "paused" ? button("Resume", () => act("start"), "primary", "cmp-resume") : null,
        now.state === "waiting" ? button("Go on", () => act("start"), "primary", "cmp-go") : null,
        live ? button("Stop", () => act("stop"), "", "cmp-stop") : null,
        button("Report", () => take("report"), "", "cmp-report"),
        h("details", { class: "cmp-more" }, h("summary", { class: "lab-button" }, "More"), h("div", { class: "lab-card" },
          button("Figures as CSV", () => take("csv"), "quiet"), button("Plan file (YAML)", () => take("yaml"), "quiet"), button("peft's result schema", () => take("peft"), "quiet"),
          button("Change and run as new", () => again(now.spec), "quiet"),
          h("label", { class: "lab-button quiet" }, "Published figures beside…", h("input", { type: "file", accept: ".csv,.json", hidden: true, "aria-label": "Published figures", onchange: async (event) => beside(await event.target.files[0].text()) })),
          now.rows.some((row) => row.states.published) ? button("Take the published away", () => beside(""), "quiet") : null,
          live ? null : button("Delete", remove, "quiet"))));
    }
    async function beside(text) {
      try {
        await ask("beside", { id, text });
        await refresh(true);
      } catch (error) {
        complain(error);
      }
    }
    async function remove() {
      if (!(await confirm(`Delete “${now.name}”?`, "The comparison is removed; its runs stay.", "Delete"))) return;
      try {
        await ask("control", { id, action: "delete" });
        gone();
      } catch (error) {
        complain(error);
      }
    }

    /** The members that wait, in their order, and how far the rest is. */
    function line() {
      const own = now.members.filter((item) => item.status !== "published"), settled = own.length - now.waiting.length;
      const current = now.members.find((item) => item.key === now.current);
      redraw(queue,
        now.error ? Lab.note("error", now.error.message, now.error.hint) : null,
        now.waiting.length ? h("div", { class: "cmp-progress" }, h("progress", { max: own.length, value: settled, "aria-label": "Members settled" }),
          h("span", {}, `${settled} of ${own.length}`, current ? ` · ${now.doing}: ${current.label}, step ${current.steps}` : "")) : null,
        now.waiting.length ? h("details", { class: "cmp-queue" }, h("summary", {}, `${now.waiting.length} waiting`), h("ol", {}, now.waiting.map((key, index) => {
          const item = now.members.find((member) => member.key === key);
          const move = (text, label, to) => h("button", { class: "lab-button quiet small", "aria-label": `${label}: ${item.label}`, onclick: () => act("move", { key, place: to }) }, text);
          return h("li", {}, h("span", { class: "lab-dot", style: { background: item.colour } }), item.label, key === now.current ? h("span", { class: "muted" }, " now") : [move("↑", "Earlier", Math.max(0, index - 1)), move("↓", "Later", index + 1)]);
        }))) : null);
    }

    function rows() {
      const columns = now.columns, settings = differ.checked ? now.varied : [];
      const value = (row, key) => (key === "arm" ? row.arm : columns.includes(key) ? row.words[key]?.value ?? -Infinity : String(row.choices[key] ?? ""));
      const order = [...now.rows].sort((a, b) => { const [x, y] = [value(a, sort[0]), value(b, sort[0])]; return (x < y ? -1 : x > y ? 1 : 0) * (sort[1] ? -1 : 1); });
      const same = (key) => differ.checked && new Set(now.rows.map((row) => row.words[key]?.mean)).size < 2;
      const shown = columns.filter((key) => !same(key));
      const head = (key, text, kind = "number") => h("th", { scope: "col", class: kind, "aria-sort": sort[0] === key ? (sort[1] ? "descending" : "ascending") : "none" },
        h("button", { onclick: () => { sort = [key, sort[0] === key ? !sort[1] : kind === "number"]; rows(); } }, text));
      put(table, h("table", {}, h("thead", {}, h("tr", {}, head("arm", "Member", ""), shown.map((key) => head(key, offer.quantities[key])), settings.map((key) => head(key, key, "")), h("th", {}, "Runs"))),
        h("tbody", {}, order.map((row) => h("tr", {},
          h("th", { scope: "row" }, h("span", { class: "lab-dot", style: { background: row.colour } }), row.arm,
            h("div", { class: "muted small" }, [...Object.entries(row.states).filter(([name]) => name !== "done").map(([name, count]) => `${count} ${WORDS[name] || name}`), ...row.marks, row.reason].filter(Boolean).join(" · "))),
          shown.map((key) => h("td", { class: `number mono${row.words[key]?.best ? " best" : ""}` }, row.words[key]?.mean ?? "–", row.words[key]?.spread ? h("div", { class: "muted small" }, `± ${row.words[key].spread}`) : null)),
          settings.map((key) => h("td", {}, [].concat(row.choices[key] ?? "–").join("+"))),
          h("td", { class: "actions" }, row.runs.map((run, index) => h("button", { class: "lab-button quiet small", "aria-label": `Open run ${index + 1} of ${row.arm}`, "data-open": run, onclick: () => openRun(run) }, row.runs.length > 1 ? String(index + 1) : "Open")),
            now.members.filter((item) => item.arm === row.arm && ["failed", "missing"].includes(item.status)).slice(0, 1).map((item) => h("button", { class: "lab-button quiet small", onclick: () => act("again", { key: item.key }) }, "Again"))))))));
    }
    function filters() {
      put(filter, now.rows.length > 1 ? now.rows.map((row) => h("label", { class: "cmp-chip" },
        h("input", { type: "checkbox", checked: !hidden.has(row.arm), onchange: (event) => { event.target.checked ? hidden.delete(row.arm) : hidden.add(row.arm); drawAll(); } }),
        h("span", { class: "lab-dot", style: { background: row.colour } }), row.arm)) : null);
    }
    function heats() {
      const names = now.varied.filter((name) => name !== "model");
      options.heat.across ||= names.find((name) => name !== "method") || "";
      options.heat.up ||= names.find((name) => name !== options.heat.across) || "";
      const choose = names.map((name) => [name, name]);
      put(heatControls, names.length > 1 ? [pick("across", choose, options.heat, "across", "heat"), pick("up", choose, options.heat, "up", "heat"), pick("show", quantities(), options.heat, "quantity", "heat")] : null);
    }
    function said() {
      put(words, now.verdict.map((item) => h("li", { class: item.kind }, item.text)));
      put(replies, now.replies.length ? h("h3", {}, "Replies side by side") : null, now.replies.map((item) =>
        h("div", { class: "lab-card cmp-replies" }, h("blockquote", {}, item.prompt), h("dl", {}, item.replies.map(([who, text]) => [h("dt", {}, who), h("dd", {}, text)])))));
    }
    const drawAll = () => Promise.all(["pareto", "overlay", "scores", "ledger", "parallel", "heat"].map(draw));

    async function refresh(force) {
      now = await ask("open", { id });
      header();
      line();
      if (now.stamp + now.rows.length === stamp && !force) return;
      stamp = now.stamp + now.rows.length;
      said();
      rows();
      filters();
      heats();
      await drawAll();
    }
    return { refresh };
  };
})();
