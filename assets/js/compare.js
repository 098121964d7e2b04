// The comparison of methods: the list of comparisons, the grid that makes a new one, and the recommendation.
(() => {
  const { h, put, on, say, state, complain, debounce, format } = Lab;
  const STATES = { running: "Running", paused: "Paused", waiting: "Not finished", done: "Done" };

  Lab.define("compare", (root, { server }) => {
    /** Ask the comparison's own functions; every answer is {ok} or {error}. */
    async function ask(name, argument) {
      const answer = await server[name](argument || {}).catch(() => null);
      if (!answer || answer.error) {
        const error = new Error(answer ? answer.error.message : "The lab does not answer.");
        error.hint = answer ? answer.error.hint : "Start it again with `python app.py`; no run is lost.";
        throw error;
      }
      return answer.ok;
    }
    let offer = null, timer = null, opened = "";
    const list = h("ul", { class: "cmp-list" });
    const stage = h("section", { class: "cmp-stage", "aria-live": "off" });
    const head = h("div", { class: "row" },
      h("button", { class: "lab-button primary", id: "cmp-new", onclick: () => build() }, "New comparison"),
      h("button", { class: "lab-button", id: "cmp-advise", onclick: advise }, "Which method?"));
    root.append(h("div", { class: "cmp" }, h("aside", {}, h("h2", {}, "Comparisons"), head, list), stage));

    function show(...nodes) {
      opened = "";
      put(stage, nodes);
      lists().catch(complain);
    }

    // ---- the list
    async function lists() {
      const rows = await ask("every");
      put(list, rows.map((row) =>
        h("li", {}, h("button", { class: "cmp-item", "aria-current": row.id === opened ? "true" : null, "data-comparison": row.id, onclick: () => open(row.id) },
          h("strong", {}, row.name),
          h("span", { class: "muted small" }, `${STATES[row.state]} · ${row.members - row.waiting} of ${row.members}`)))),
        rows.length ? null : h("li", { class: "muted" }, "None yet. A comparison is a list of plans under one protocol; its result is pictures and a sentence."));
      return rows;
    }
    function open(id) {
      opened = id;
      state().comparison = id;
      Lab.save();
      put(stage, h("p", { class: "muted" }, "Reading the runs…"));
      view = Lab.comparison(stage, { id, ask, offer, again: (spec) => build(spec), gone: () => { build(); follow(); } });
      follow();
    }
    let view = null;
    const looked = () => state().tab === "compare" && !document.hidden;
    async function follow() {
      clearTimeout(timer);
      if (!looked()) return;
      try {
        offer ||= await ask("offer");
        const rows = await lists();
        if (!stage.firstChild) {
          const known = rows.find((row) => row.id === state().comparison) || rows.find((row) => row.state !== "done");
          if (known) return open(known.id);
          build();
        }
        if (opened && view) await view.refresh();
        if (rows.some((row) => ["running", "paused"].includes(row.state))) timer = setTimeout(follow, 1500);
      } catch (error) {
        complain(error);
      }
    }
    on("tab", follow);
    on("focus", follow);
    document.addEventListener("visibilitychange", follow);
    if (Lab.tabs) follow();
    else on("framed", follow);

    // ---- the grid
    async function build(from) {
      offer ||= await ask("offer");
      const changed = debounce(() => update(), 350);
      const chosen = new Set(), precisions = new Set(), runs = new Set();
      const field = (label, control, help) => h("label", { class: "cmp-field", title: help || null }, h("span", {}, label), control);
      const text = (id, value, more = {}) => h("input", { type: "text", id, value, oninput: changed, ...more });
      const number = (id, value, more = {}) => text(id, value, { type: "number", min: 1, ...more });
      const select = (id, options, value) => h("select", { id, onchange: changed }, options.map(([key, title]) => h("option", { value: key, selected: key === value }, title)));

      const name = text("cmp-name", "Comparison", { maxlength: 80 });
      const models = h("datalist", { id: "cmp-models" }, offer.models.map((item) => h("option", { value: item.name }, item.title)));
      const sets = h("datalist", { id: "cmp-sets" });
      const offered = ({ data: known }) => put(sets, known.map((item) => h("option", { value: item.name }, item.title)));
      const renew = () => ask("offer").then(offered, complain); // a run made meanwhile may have brought data
      offered(offer);
      const model = text("cmp-model", offer.model, { list: "cmp-models" }), data = text("cmp-data", offer.source, { list: "cmp-sets", onfocus: renew });
      const chip = (key, label, into, colour) => {
        const box = h("input", { type: "checkbox", value: key, onchange: () => { box.checked ? into.add(key) : into.delete(key); changed(); } });
        return h("label", { class: "cmp-chip" }, box, colour ? h("span", { class: "lab-dot", style: { background: colour } }) : null, label);
      };
      const methods = h("div", { class: "cmp-chips", id: "cmp-methods" }, offer.methods.map((item) => chip(item.key, item.title, chosen, item.colour)));
      const all = h("button", { class: "lab-button quiet small", onclick: () => tick(chosen.size < offer.methods.length ? offer.methods.map((item) => item.key) : []) }, "All or none");
      const stored = h("div", { class: "cmp-chips", id: "cmp-precisions" }, offer.precisions.map((item) => chip(item, item, precisions)));
      const vary = h("div", { class: "cmp-vary" });
      const seeds = number("cmp-seeds", 1, { max: 100 }), amount = number("cmp-amount", 40);
      const knob = offer.protocol;
      const budget = select("cmp-budget", knob.budget.choices.map((item) => [item, item]), "steps");
      const rate = select("cmp-rate", [["given", "given"], ["tuned", "tuned for each method"]], "given");
      const rates = text("cmp-rates", knob.rates.default.join(", ")), trial = number("cmp-trial", knob.trial_steps.default);
      const tuned = h("div", { class: "cmp-fields", hidden: true }, field("Rates tried", rates, knob.rates.help), field("Steps of a trial", trial, knob.trial_steps.help));
      const batch = number("cmp-batch", 16), length = number("cmp-length", 64), every = number("cmp-every", 20, { min: 0 }), rows = number("cmp-rows", 100);
      const given = h("div", { class: "cmp-runs" });
      const file = h("textarea", { id: "cmp-file", rows: 8, spellcheck: "false", "aria-label": "The comparison as YAML" });
      const upload = h("input", { type: "file", accept: ".yaml,.yml,.json", "aria-label": "Open a comparison's file", onchange: async () => upload.files[0] && load(await upload.files[0].text()) });
      const ahead = h("div", { class: "cmp-ahead", id: "cmp-ahead" }), note = h("div", {});
      const start = h("button", { class: "lab-button primary", id: "cmp-start", onclick: launch }, "Start");
      let extra = {};  // what a file holds beyond the form

      function tick(keys) {
        chosen.clear();
        for (const box of methods.querySelectorAll("input")) {
          box.checked = keys.includes(box.value);
          if (box.checked) chosen.add(box.value);
        }
        changed();
      }
      function axis(key = "", setting = "", values = "") {
        const of = h("select", { "aria-label": "Method", onchange: () => { fill(); changed(); } }, offer.methods.map((item) => h("option", { value: item.key, selected: item.key === key }, item.title)));
        const which = h("select", { "aria-label": "Setting", onchange: changed });
        const fill = () => put(which, offer.methods.find((item) => item.key === of.value).settings.map((item) => h("option", { value: item.name, selected: item.name === setting }, item.label)),
          h("option", { value: "learning_rate", selected: setting === "learning_rate" }, "Learning rate"));
        fill();
        const line = h("div", { class: "row", "data-axis": "" }, of, which,
          h("input", { type: "text", value: values, placeholder: "2, 8, 32", "aria-label": "Values, with commas", oninput: changed }),
          h("button", { class: "lab-button quiet small", "aria-label": "Remove", onclick: () => { line.remove(); changed(); } }, "×"));
        vary.append(line);
      }
      /** What the form says, as the file would. */
      function spec() {
        const axes = {};
        for (const line of vary.querySelectorAll("[data-axis]")) {
          const [of, which] = line.querySelectorAll("select"), values = line.querySelector("input").value.split(",").map((item) => item.trim()).filter(Boolean);
          if (values.length) (axes[of.value] ||= {})[which.value] = values.length > 1 ? values : values[0];
        }
        const count = Number(seeds.value);
        return { ...extra, name: name.value, model: model.value, data: { ...(extra.data || {}), source: data.value },
          methods: [...chosen].map((key) => (axes[key] ? { method: key, settings: axes[key] } : key)),
          precisions: [...precisions], runs: [...runs],
          seeds: extra.seeds && extra.seeds.length === count ? extra.seeds : count,
          settings: { ...(extra.settings || {}), batch_size: batch.value, max_length: length.value, eval_every: every.value, eval_rows: rows.value },
          protocol: { budget: budget.value, amount: amount.value, rate: rate.value, trial_steps: trial.value, rates: rates.value.split(",").map((item) => item.trim()).filter(Boolean) } };
      }
      /** Fill the form with a comparison as its file has it. */
      function fillIn(plain) {
        extra = { ...plain };
        name.value = plain.name || name.value;
        model.value = plain.model || model.value;
        data.value = (plain.data || {}).source || data.value;
        put(vary);
        const keys = [];
        for (const item of plain.methods || []) {
          const key = item.method || item;
          if (!keys.includes(key)) keys.push(key);
          for (const [setting, values] of Object.entries(item.settings || {})) axis(key, setting, [].concat(values).join(", "));
        }
        const set = (into, box, items) => {
          into.clear();
          for (const input of box.querySelectorAll("input")) {
            input.checked = items.includes(input.value);
            if (input.checked) into.add(input.value);
          }
        };
        set(chosen, methods, keys);
        set(precisions, stored, plain.precisions || []);
        seeds.value = (plain.seeds || [0]).length;
        const held = plain.protocol || {}, loose = plain.settings || {};
        budget.value = held.budget || "steps";
        amount.value = held.amount || 60;
        rate.value = held.rate || "given";
        if (held.rates) rates.value = held.rates.join(", ");
        if (held.trial_steps) trial.value = held.trial_steps;
        for (const [input, key] of [[batch, "batch_size"], [length, "max_length"], [every, "eval_every"], [rows, "eval_rows"]]) if (key in loose) input.value = loose[key];
        changed();
      }
      async function load(words) {
        try {
          fillIn(await ask("read", { text: words }));
          file.value = words;
        } catch (error) {
          put(note, Lab.note("error", error.message, error.hint));
        }
      }
      async function update() {
        tuned.hidden = rate.value !== "tuned";
        if (!chosen.size && !runs.size && !(extra.plans || []).length) {
          start.disabled = true;
          put(note);
          return put(ahead, h("p", { class: "muted" }, "Tick the methods to compare."));
        }
        try {
          const asked = { spec: spec() };
          const [seen, words] = await Promise.all([ask("foresee", asked), ask("write", asked)]);
          if (document.activeElement !== file) file.value = words;
          put(note);
          start.disabled = !seen.able && !seen.given;
          put(ahead, foreseen(seen));
        } catch (error) {
          start.disabled = true;
          put(note, Lab.note("error", error.message, error.hint));
          put(ahead);
        }
      }
      async function launch() {
        start.disabled = true;
        try {
          open(await ask("launch", { spec: spec() }));
          say("runs");
        } catch (error) {
          start.disabled = false;
          complain(error);
        }
      }
      show(h("div", { class: "cmp-build" },
        h("div", { class: "cmp-form" },
          h("h2", {}, "New comparison"),
          h("div", { class: "cmp-fields" }, field("Name", name), field("Model", model), field("Data", data), models, sets),
          h("h3", {}, "Methods ", all), methods,
          h("h3", {}, "Settings that vary ", h("button", { class: "lab-button quiet small", id: "cmp-add", onclick: () => { axis(offer.methods.find((item) => chosen.has(item.key) && item.settings.length)?.key || offer.methods.find((item) => item.settings.length).key); changed(); } }, "Add")), vary,
          h("h3", {}, "Base precisions"), stored,
          h("h3", {}, "Protocol"),
          h("div", { class: "cmp-fields" }, field("Equal", budget, knob.budget.help), field("Amount", amount, knob.amount.help), field("Seeds", seeds), field("Learning rate", rate, knob.rate.help)), tuned,
          h("h3", {}, "For every member"),
          h("div", { class: "cmp-fields" }, field("Batch size", batch), field("Sequence length", length), field("Evaluate every", every), field("Evaluation rows", rows)),
          h("details", { ontoggle: (event) => event.target.open && tickRuns() }, h("summary", {}, "Runs that exist"), given),
          h("details", {}, h("summary", {}, "As a file"), file,
            h("div", { class: "row" }, h("button", { class: "lab-button small", onclick: () => load(file.value) }, "Read into the form"), upload))),
        h("div", { class: "cmp-side lab-card" }, h("h3", {}, "Before it starts"), note, ahead, h("div", { class: "row end" }, start))));
      async function tickRuns() {
        const { rows: found, matching } = await Lab.call("runs", { scored: true, limit: 200, also: [...runs] });
        const words = (row) => `${row.name} · ${row.steps} steps · ${format.percent(row.score)}`;
        put(given,
          found.length ? found.map((row) => chip(row.id, words(row), runs, row.colour))
            : h("p", { class: "muted" }, "No run has been scored yet."),
          matching > found.length ? h("p", { class: "muted" }, `The newest of ${format.count(matching)} runs.`) : null);
      }
      if (from) fillIn(from);
      else changed();
    }

    /** The members that will run, and those that cannot with the reason. */
    function foreseen(seen) {
      const time = seen.seconds === null ? "no run here tells the speed yet" : `about ${format.seconds(seen.seconds)}`;
      return [
        h("p", {}, h("strong", {}, `${seen.able} ${seen.able === 1 ? "run" : "runs"}`), seen.given ? ` and ${seen.given} that exist` : "",
          seen.able ? `, ${time}` : "", seen.peak ? `; the largest needs about ${format.bytes(seen.peak)}.` : "."),
        h("table", { class: "cmp-foreseen" }, h("tbody", {}, seen.arms.map((row) =>
          h("tr", { class: row.reason ? "refused" : "" },
            h("th", { scope: "row" }, h("span", { class: "lab-dot", style: { background: row.colour } }), row.arm, row.seeds > 1 ? h("span", { class: "muted" }, ` ×${row.seeds}`) : null,
              row.reason ? h("div", { class: "small" }, row.reason) : null),
            row.reason ? h("td", { colspan: 2 }, "cannot run") : [h("td", { class: "number mono" }, format.count(row.trainable)), h("td", { class: "number mono" }, format.bytes(row.memory))])))),
      ];
    }

    // ---- the recommendation
    async function advise() {
      offer ||= await ask("offer");
      const model = h("input", { type: "text", value: offer.model, list: "cmp-models-2", onchange: go, "aria-label": "Model" });
      const memory = h("input", { type: "number", value: 16, min: 0.25, step: 0.25, onchange: go, "aria-label": "Memory in GiB" });
      const goal = h("select", { onchange: go, id: "cmp-goal", "aria-label": "Goal" }, Object.entries(offer.goals).map(([key, title]) => h("option", { value: key }, title)));
      const task = h("select", { onchange: go, "aria-label": "Task" }, h("option", { value: "generate" }, "writes text"), h("option", { value: "classify" }, "gives a label"));
      const answer = h("ol", { class: "cmp-advice" });
      async function go() {
        try {
          const found = await ask("advise", { model: model.value, memory: memory.value, goal: goal.value, task: task.value });
          put(answer, found.map((item) => h("li", { class: item.fits ? "" : "refused" },
            h("strong", {}, h("span", { class: "lab-dot", style: { background: item.colour } }), item.title),
            h("span", { class: "muted" }, item.precision === "bf16" ? "" : ` on a base in ${item.precision}`), h("div", {}, item.why))));
        } catch (error) {
          put(answer, h("li", {}, Lab.note("error", error.message, error.hint)));
        }
      }
      show(h("h2", {}, "Which method?"),
        h("p", { class: "muted" }, "In order, from the formulas for the model's own dimensions and, where you have any, from your own comparisons. Nothing is loaded for it."),
        h("div", { class: "cmp-fields" },
          h("label", { class: "cmp-field" }, h("span", {}, "Model"), model, h("datalist", { id: "cmp-models-2" }, offer.models.map((item) => h("option", { value: item.name }, item.title)))),
          h("label", { class: "cmp-field" }, h("span", {}, "It"), task),
          h("label", { class: "cmp-field" }, h("span", {}, "Memory, GiB"), memory),
          h("label", { class: "cmp-field" }, h("span", {}, "Goal"), goal)), answer);
      go();
    }
  });
})();
