// The instrument: what will be trained, the run while it trains, the chat with its result, the code. One bar above
// all four says what can be done next.
(() => {
  const { h, put, write, on, say, state, save, call, complain, format } = Lab;
  // On a narrow page the lesson and the form are views of their own.
  const NARROW = new Set(["learn", "pick"]);
  const VIEWS = [["learn", "", "Learn"], ["pick", "1", "Pick"], ["see", "2", "See"], ["watch", "3", "Watch"], ["chat", "4", "Chat"], ["code", "</>", "Code"]];
  const WORDS = { running: "Training", paused: "Paused", waiting: "Waiting", done: "Done", stopped: "Stopped", failed: "Failed", interrupted: "Interrupted", stopping: "Stopping after this step" };

  /** "phone": lesson and form are views; "half": a wide lesson leaves room for one part of the bench. */
  function narrow() {
    const how = innerWidth <= 760 ? "phone" : innerWidth > 1180 && state().lesson === "wide" ? "half" : "";
    document.body.dataset.labNarrow = how;
    return how;
  }
  const possible = (name) => !NARROW.has(name) || narrow() === "phone" || (narrow() === "half" && name === "pick");

  Lab.define("stage", (root, { props }) => {
    const { ledger } = props.value;
    const places = Object.fromEntries(VIEWS.filter(([name]) => name !== "chat" && !NARROW.has(name)).map(([name, , title]) =>
      [name, h("div", { class: "lab-view", "data-view": name, role: "tabpanel", "aria-label": title })]));
    const tabs = h("div", { class: "lab-views", role: "tablist", "aria-label": "Steps of an experiment" },
      VIEWS.map(([name, number, title]) => h("button", { role: "tab", id: `view-${name}`, "data-view": name, onclick: () => view(name) },
        number ? h("span", { class: "lab-step" }, number) : null, title)));
    tabs.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const names = VIEWS.map(([name]) => name).filter(possible);
      const next = names[(names.indexOf(document.body.dataset.labView) + step + names.length) % names.length];
      view(next);
      tabs.querySelector(`[data-view=${next}]`).focus();
    });
    const launch = h("button", { class: "lab-button primary", id: "launch", disabled: true, onclick: start }, "Launch");
    const why = h("span", { class: "lab-why", id: "launch-reason", role: "status" });
    launch.setAttribute("aria-describedby", "launch-reason");
    const pause = h("button", { class: "lab-button", id: "pause", onclick: () => act(last?.status === "paused" ? "resume" : "pause") }, "Pause");
    const stop = h("button", { class: "lab-button", id: "stop", onclick: () => act("stop") }, "Stop");
    const withdraw = h("button", { class: "lab-button", id: "withdraw", onclick: () => act("withdraw") }, "Withdraw");
    const resume = h("button", { class: "lab-button", id: "continue", onclick: () => act("continue") }, "Continue");
    const words = h("span", { class: "lab-now", id: "run-status", role: "status" });
    const count = h("span", { class: "lab-now lab-count" }); // beside the status: a screen reader would tell every step
    const bar = h("div", { class: "lab-progress", role: "progressbar", "aria-label": "Training progress", "aria-valuemin": 0, "aria-valuemax": 100 }, h("span", {}));
    const which = h("select", { class: "lab-which", "aria-label": "Run", onchange: () => choose(which.value) });
    const tools = h("div", { class: "row lab-run-row" }, which, words, count, h("span", { class: "grow" }), pause, stop, withdraw, resume,
      h("button", { class: "lab-button quiet small", id: "reopen", onclick: reopen }, "Open as form"),
      h("button", { class: "lab-button quiet small", id: "download", onclick: () => Lab.download(run()) }, "Download adapter"),
      h("button", { class: "lab-button quiet small", id: "push", onclick: () => Lab.push(run(), last.name) }, "Push to the Hub"));
    root.append(h("div", { class: "lab-stage" },
      h("div", { class: "lab-stage-bar" }, tabs, h("span", { class: "grow" }), why, launch),
      bar, tools, Object.values(places)));

    Lab.panel(places.see, ledger);
    const live = Lab.live(places.watch, { onUpdate: show });
    let last = null, blocked = true;
    const bench = () => (state().benches[state().tab] ||= {});
    const run = () => bench().run || "";

    // ---- launching
    on("ready", ({ reason, steps }) => {
      blocked = Boolean(reason);
      launch.disabled = blocked;
      why.textContent = reason ? reason.message : `${format.count(steps)} steps`;
      why.classList.toggle("bad", blocked);
    });
    on("plan", (detail) => {
      if (detail.how === "bad") launch.disabled = true;
      if (document.body.dataset.labView === "code") showCode();
    });
    async function start() {
      launch.disabled = true;
      launch.textContent = "Launching…";
      try {
        const made = await call("launch", Lab.plan());
        choose(made.run);
        view("watch");
        say("runs");
        say("launched", made);
      } catch (error) {
        complain(error);
      } finally {
        launch.textContent = "Launch";
        launch.disabled = blocked;
      }
    }
    async function act(action) {
      const id = run();
      try {
        if (action === "stop" && last) show({ ...last, status: "stopping" });
        if (action === "continue") await Lab.resume(id);
        else await call("control", { run: id, action });
        if (action === "withdraw") choose("");
        else live.again(0);
        say("runs");
      } catch (error) {
        complain(error);
        live.again(0);
      }
    }
    async function reopen() {
      try {
        const { plan } = await call("reopen", { run: run() });
        say("open-plan", plan);
      } catch (error) {
        complain(error);
      }
    }

    // ---- the run that is looked at
    function choose(id) {
      bench().run = id;
      save();
      Lab.address({ run: id });
      last = null;
      show(null);
      live.show(id);
      list();
      say("run", { id });
    }
    function show(reply) {
      last = reply;
      const status = reply?.status || "";
      const moving = ["running", "paused"].includes(status);
      pause.hidden = !moving;
      write(pause, status === "paused" ? "Resume" : "Pause");
      stop.hidden = !moving;
      withdraw.hidden = status !== "waiting";
      resume.hidden = !reply?.resumable;
      tools.querySelector("#download").hidden = !reply?.adapter;
      tools.querySelector("#push").hidden = !reply?.adapter || moving || !Lab.account.push;
      tools.querySelector("#reopen").hidden = !reply;
      tools.hidden = !run() && which.options.length < 2;
      const share = reply && reply.steps ? Math.min(1, reply.step / reply.steps) : 0;
      bar.hidden = !reply || !(moving || status === "stopping" || status === "waiting");
      bar.classList.toggle("waiting", Boolean(reply) && (status === "waiting" || (status === "running" && !reply.step)));
      bar.firstChild.style.width = `${(100 * share).toFixed(1)}%`;
      bar.setAttribute("aria-valuenow", Math.round(100 * share));
      words.dataset.status = status;
      const busy = status === "running" && reply.stage;
      const now = !reply ? "" : status === "waiting" ? `Waiting, number ${reply.place} in line${reply.wait ? `, about ${format.seconds(reply.wait)}` : ""}`
        : busy ? `${reply.stage}…` : WORDS[status] || status;
      write(words, now);
      write(count, moving && !busy && reply.steps ? `step ${format.count(reply.step)} of ${format.count(reply.steps)}` : "");
      if (reply) say("progress", reply);
    }
    on("account", () => show(last));
    const list = Lab.debounce(async () => {
      try {
        const chosen = run();
        const { rows, total } = await call("runs", { limit: 100, also: [chosen] });
        if (run() !== chosen) return; // another was chosen meanwhile, and is asked for
        const runs = rows.filter(({ status }) => !["damaged", "newer"].includes(status));
        const same = (item) => runs.filter(({ name }) => name === item.name).length > 1;
        const day = (date) => date.toLocaleDateString([], { dateStyle: "short" });
        const when = ({ created }) => {
          const date = new Date(created * 1000);
          return day(date) === day(new Date()) ? date.toLocaleTimeString() : day(date);
        };
        put(which, h("option", { value: "" }, runs.length ? "Choose a run…" : "No run yet"),
          runs.map((item) => h("option", { value: item.id },
            `${item.name}${same(item) ? ` · ${when(item)}` : ""} · ${item.state}`)),
          total > rows.length
            ? h("option", { disabled: true }, `${format.count(total - rows.length)} older ones are in the table of runs`)
            : null);
        which.value = run();
        if (run() && which.value !== run()) choose("");
        tools.hidden = !runs.length;
      } catch {
        // The table says so; the chart goes on.
      }
    }, 150);
    on("runs", list);
    on("watch-run", (id) => {
      choose(id);
      view("watch");
    });

    // ---- views
    function view(wanted) {
      const name = possible(wanted) ? wanted : "see";
      if (document.body.dataset.labView !== name) scrollTo(0, 0); // another page, as another tab is
      document.body.dataset.labView = name;
      bench().view = name;
      save();
      for (const button of tabs.children) {
        button.setAttribute("aria-selected", String(button.dataset.view === name));
        button.tabIndex = button.dataset.view === name ? 0 : -1;
      }
      for (const [key, node] of Object.entries(places)) node.hidden = key !== name;
      if (name === "code") showCode();
      setTimeout(() => window.dispatchEvent(new Event("resize")), 20);
    }
    on("view", view);
    narrow();
    addEventListener("resize", () => {
      narrow();
      if (!possible(document.body.dataset.labView)) view("see");
    });
    const showCode = Lab.debounce(async () => {
      const place = places.code;
      try {
        const text = await call("code", Lab.plan());
        const button = h("button", { class: "lab-button small", onclick: () => Lab.copy(text, button) }, "Copy");
        put(place, h("div", { class: "row" }, h("p", { class: "muted grow" }, "This plan as the script that one would write by hand. It runs as it stands."), button),
          h("pre", { class: "lab-code", tabindex: "0", role: "region", "aria-label": "The plan as a script" }, Lab.python(text)));
      } catch (error) {
        put(place, Lab.note("error", error.message, error.hint));
      }
    }, 120);

    let opened = null;
    function tab(now) {
      if (now.kind !== "exercise") return;
      if (now.name === opened) return list(); // a comparison may have made runs meanwhile
      opened = now.name;
      if (Lab.given.run) {
        bench().run = Lab.given.run;
        bench().view ||= "watch"; // a link to a run shows it to whoever has not been here
        Lab.given.run = null;
      }
      view(bench().view || "see");
      choose(run());
    }
    on("tab", tab);
    function begin() {
      const now = Lab.tabs.find((item) => item.name === state().tab);
      if (now) tab(now);
    }
    if (Lab.tabs) begin();
    else on("framed", begin);
  });

  // ---- a light colouring of Python: strings, comments, words
  const WORD = /("""[\s\S]*?"""|'[^'\n]*'|"[^"\n]*")|(#[^\n]*)|\b(from|import|def|return|for|in|if|else|with|as|class|while|not|and|or|None|True|False|lambda|yield|break)\b|\b(\d+(?:\.\d+)?(?:e-?\d+)?)\b/g;
  Lab.python = (text) => {
    const parts = [];
    let from = 0;
    for (const match of text.matchAll(WORD)) {
      parts.push(text.slice(from, match.index));
      parts.push(h("span", { class: match[1] ? "s" : match[2] ? "c" : match[3] ? "k" : "n" }, match[0]));
      from = match.index + match[0].length;
    }
    parts.push(text.slice(from));
    return parts;
  };
  /** Continue a run; where its data or its base changed since it began, only if the person says so. */
  Lab.resume = async (run) => {
    const { changes } = await call("continue_run", { run });
    if (changes && (await Lab.confirm("Continue anyway?", changes, "Continue", "primary"))) {
      await call("continue_run", { run, accept: true });
    }
  };
  Lab.download = async (id) => {
    try {
      const { path, name } = await call("download", { run: id });
      const link = h("a", { href: `${Lab.root}/gradio_api/file=${path}`, download: name });
      document.body.append(link);
      link.click();
      link.remove();
    } catch (error) {
      complain(error);
    }
  };
  Lab.root = location.pathname.replace(/\/$/, "");
})();
