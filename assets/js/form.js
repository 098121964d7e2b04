// The form: pick a model, data, a method and its settings. Its value is the plan, as plain JSON.
(() => {
  const { h, put, on, say, state, save, call, complain, debounce } = Lab;

  Lab.define("form", (root, { props, trigger, upload }) => {
    const { spec, plans } = props.value;
    const methods = Object.fromEntries(spec.methods.map((item) => [item.key, item]));
    let plan = null, controls = [], advanced = false, busy = 0;
    Lab.methods = methods;
    Lab.plan = () => plan;

    const body = h("div", { class: "lab-form" });
    root.append(
      h("div", { class: "lab-form-head" },
        h("span", { class: "lab-step" }, "1"), h("h2", {}, "Pick"), h("span", { class: "grow" }),
        h("button", { class: "lab-button quiet small", onclick: copyLink, title: "A link that restores the whole form" }, "Copy link"),
        h("button", { class: "lab-button quiet small", onclick: reset }, "Reset")),
      body);

    function copyLink(event) {
      const query = new URLSearchParams({ tab: state().tab, plan: Lab.link || "" });
      Lab.copy(`${location.origin}${location.pathname}?${query}`, event.currentTarget);
    }
    const key = () => state().tab;
    function reset() {
      load(structuredClone(plans[key()] || Object.values(plans)[0]));
    }

    // ---- a plan in, a plan out
    function load(next) {
      plan = next;
      draw();
      changed();
    }
    const remember = debounce(() => {
      (state().benches[key()] ||= {}).plan = plan;
      save();
    }, 150);
    /** `how` is "live" while a slider is dragged: what the browser can compute moves at once, the server follows. */
    function changed(how) {
      remember();
      say("plan", { plan, method: methods[plan.method], how });
      props.value = { ...props.value, plan, tab: key() };
    }

    async function swap(work) {
      const turn = ++busy;
      try {
        const next = await work();
        if (turn === busy) load(next);
      } catch (error) {
        complain(error);
        draw();
      }
    }

    // ---- drawing
    function control(knob, part) {
      const target = part ? plan[part] : plan.settings;
      const made = Lab.knob(knob, (value, how) => {
        (part ? plan[part] : plan.settings)[knob.name] = value;
        changed(how);
      });
      made.set(target[knob.name] ?? knob.default);
      controls.push(made);
      return made.node;
    }

    function section(title, ...children) {
      return h("section", { class: "lab-form-part" }, h("h3", {}, title), children);
    }

    function picker(what, offered, current, custom, chosen) {
      const known = offered.some((item) => item.name === current);
      const id = `pick-${what}`;
      const select = h("select", { id, "aria-label": what === "model" ? "Model" : "Data set", onchange: () => {
        if (select.value.startsWith("+")) show(select.value);
        else chosen(select.value);
      } },
        offered.map((item) => h("option", { value: item.name }, item.title)),
        custom.map(([value, words]) => h("option", { value }, words)));
      const own = h("div", { class: "lab-own" });
      function show(value) {
        const [, , words, example] = custom.find(([name]) => name === value);
        if (value === "+upload") {
          put(own, h("input", { type: "file", accept: ".csv,.tsv,.json,.jsonl,.ndjson,.parquet,.gz", "aria-label": "A CSV, JSONL or Parquet file",
            onchange: (event) => event.target.files[0] && chosen(event.target.files[0]) }));
          return;
        }
        const field = h("input", { type: "text", spellcheck: "false", placeholder: example, "aria-label": words, value: known ? "" : current,
          onchange: () => field.value.trim() && chosen(field.value.trim()) });
        put(own, field);
        if (known) field.focus();
      }
      const note = offered.find((item) => item.name === current)?.note;
      if (known) select.value = current;
      else {
        select.value = custom[current.startsWith("/") || current.startsWith(".") ? custom.length - 1 : 0][0];
        if (select.value === "+upload") put(own, h("p", { class: "muted" }, current.split("/").pop()));
        else show(select.value);
      }
      return [select, own, note ? h("p", { class: "muted small" }, note) : null];
    }

    function draw() {
      controls = [];
      const method = methods[plan.method];
      const knobs = (list, part, want) => list.filter((item) => want(item)).map((item) => control(item, part));
      const parts = spec.parts;
      const folded = ["config", "split", "input", "target"];
      const chooser = h("select", { id: "pick-method", "aria-label": "Method",
        onchange: () => swap(() => call("change_method", { plan, method: chooser.value })) },
        spec.families.map((family) => {
          const mine = spec.methods.filter((item) => item.family === family);
          return mine.length ? h("optgroup", { label: family[0].toUpperCase() + family.slice(1) },
            mine.map((item) => h("option", { value: item.key, selected: item.key === plan.method }, item.title))) : null;
        }));
      const open = root.querySelector(".lab-form-more")?.open ?? advanced;
      const seed = { name: "seed", kind: "int", label: "Seed", help: "Decides the order of the data, the initial weights and dropout.", low: 0, high: null, default: 0, choices: [] };
      const seedControl = Lab.knob(seed, (value, how) => {
        plan.seed = value;
        changed(how);
      });
      seedControl.set(plan.seed);
      put(body,
        section("Model", picker("model", spec.models, plan.model,
          [["+hub", "Hugging Face Hub id…", "Hub id of a model", "organisation/name"], ["+folder", "Local folder…", "Folder of a model", "/path/to/model"]],
          (name) => {
            plan.model = name;
            // Names of the old model's modules mean nothing in the new one.
            for (const knob of methods[plan.method].knobs) if (knob.source) plan.settings[knob.name] = [...knob.default];
            load(plan);
          })),
        section("Data", picker("data", spec.data, plan.data.source,
          [["+hub", "Hugging Face Hub id…", "Hub id of a data set", "organisation/name"], ["+upload", "Upload a file…", "", ""]], chooseData),
          knobs(parts.data, "data", (item) => item.name === "task"),
          h("div", { class: "lab-data" }),
          h("details", { class: "lab-form-fold", open: !spec.data.some((item) => item.name === plan.data.source) },
            h("summary", {}, "Columns, split and rows"),
            knobs(parts.data, "data", (item) => [...folded, "rows"].includes(item.name)),
            h("button", { class: "lab-button small", onclick: preview }, "Preview the rows"))),
        section("Method", chooser,
          h("p", { class: "muted small lab-method", style: { "--method": method.colour } }, method.summary),
          knobs(method.knobs, "", (item) => !item.advanced)),
        section("Training", knobs(parts.training, "training", (item) => !item.advanced && MAIN.includes(item.name)),
          knobs(parts.precision, "precision", (item) => item.name === "weights")),
        h("details", { class: "lab-form-more lab-form-part", open },
          h("summary", {}, "Advanced"),
          knobs(method.knobs, "", (item) => item.advanced),
          knobs(parts.training, "training", (item) => item.advanced || !MAIN.includes(item.name)),
          knobs(parts.precision, "precision", (item) => item.name !== "weights"),
          seedControl.node));
      if (seen) offer(seen);
    }
    //: What one sets most often stands open; the rest of the training settings is one fold away.
    const MAIN = ["learning_rate", "steps", "batch_size", "max_length"];

    async function chooseData(choice) {
      const fresh = Object.fromEntries(spec.parts.data.map((item) => [item.name, item.default]));
      if (typeof choice === "string") {
        plan.data = { ...fresh, source: choice };
        return load(plan);
      }
      const place = body.querySelector(".lab-data");
      put(place, h("p", { class: "muted small", role: "status" }, `Uploading ${choice.name}…`));
      try {
        const { path } = await upload(choice);
        plan.data = { ...fresh, source: await call("keep", { path, name: choice.name }) };
        load(plan);
        preview();
      } catch (error) {
        put(place, Lab.note("error", error.message || "The upload failed.", error.hint));
      }
    }

    async function preview() {
      const place = body.querySelector(".lab-data");
      put(place, h("p", { class: "muted small", role: "status" }, "Reading…"));
      try {
        const found = await call("preview", plan.data);
        put(place, h("p", { class: "muted small" },
          `${found.task}: reads “${found.input}”, learns “${found.target}”. ${Lab.format.count(found.train)} rows to train on, ${Lab.format.count(found.validation)} to validate.`),
          found.notes.map((text) => h("div", { class: "muted small" }, text)),
          h("div", { class: "lab-table-box", tabindex: "0", role: "region", "aria-label": "Rows of the data set" },
            h("table", {}, h("thead", {}, h("tr", {}, found.columns.map((name) => h("th", { class: name === found.input || name === found.target ? "used" : "" }, name)))),
              h("tbody", {}, found.rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))))));
        suggest("input", found.columns, found.input);
        suggest("target", found.columns, found.target);
      } catch (error) {
        put(place, Lab.note("error", error.message, error.hint));
      }
    }
    function suggest(name, columns, guessed) {
      const field = body.querySelector(`#knob-${name} input`);
      if (!field) return;
      const id = `columns-${name}`;
      document.getElementById(id)?.remove();
      field.after(h("datalist", { id }, columns.map((item) => h("option", { value: item }))));
      field.setAttribute("list", id);
      field.placeholder = `guessed: ${guessed}`;
    }

    // ---- what the server says about the plan
    let seen = null;
    const announced = {}; // by tab, what the lesson's exhibits measure
    function offer(reply) {
      for (const item of controls) item.offer?.(reply.model, reply.matched);
    }
    on("seen", (reply) => {
      seen = reply;
      offer(reply);
      Lab.link = reply.link;
      Lab.address({ plan: reply.link });
      // Not "change": Gradio fires that one itself, whenever anything on the page is drawn anew.
      if (plan.model !== (announced[key()] || plans[key()]?.model)) {
        announced[key()] = plan.model;
        trigger("input");
      }
    });
    on("set", (loose) => swap(() => call("given", { plan, loose })));
    on("open-plan", (next) => load(next));

    // ---- each tab keeps its own form
    on("tab", (tab) => {
      if (tab.kind !== "exercise") return;
      load(structuredClone(state().benches[tab.name]?.plan || plans[tab.name] || Object.values(plans)[0]));
    });
    async function start() {
      const tab = Lab.tabs.find((item) => item.name === state().tab);
      if (Lab.given.plan) {
        try {
          const plan = await call("restore", Lab.given.plan); // first: the bench gets its run meanwhile
          state().benches[tab.name] = { ...state().benches[tab.name], plan };
        } catch (error) {
          complain(error);
        }
      }
      if (tab.kind === "exercise") say("tab", tab);
    }
    if (Lab.tabs) start();
    else on("framed", start);
  });
})();
