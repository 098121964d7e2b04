// The table of runs: sort, filter, rename, delete, open again, download, continue.
(() => {
  const { h, put, on, say, state, call, complain, confirm, format } = Lab;
  const WORDS = { running: "Training", paused: "Paused", waiting: "Waiting", done: "Done", stopped: "Stopped", failed: "Failed", interrupted: "Interrupted", damaged: "Damaged" };
  const COLUMNS = [
    ["name", "Run", (row) => row.name.toLowerCase()],
    ["status", "Status", (row) => WORDS[row.status] || row.status],
    ["method", "Method", (row) => row.title || ""],
    ["share", "Trained", (row) => (row.trainable ? row.trainable / row.total : -1), "number"],
    ["score", "Score", (row) => row.score ?? -1, "number"],
    ["loss", "Loss", (row) => row.loss ?? Infinity, "number"],
    ["seconds", "Time", (row) => row.seconds || 0, "number"],
    ["bytes", "Size", (row) => row.bytes || 0, "number"],
    ["created", "Started", (row) => row.created, "number"],
  ];

  Lab.define("runs", (root) => {
    let rows = [], sort = "created", down = true, words = "";
    const filter = h("input", { type: "search", placeholder: "Filter by name, method, model, data or status", "aria-label": "Filter the runs", oninput: () => {
      words = filter.value.trim().toLowerCase();
      draw();
    } });
    const body = h("tbody", {});
    const head = h("tr", {}, COLUMNS.map(([key, title, , kind]) =>
      h("th", { scope: "col", class: kind || "", "data-column": key }, h("button", { onclick: () => order(key) }, title))), h("th", {}, h("span", { class: "lab-hidden" }, "Actions")));
    const empty = h("p", { class: "lab-empty" });
    root.append(h("div", { class: "lab-runs" },
      h("div", { class: "row lab-runs-head" }, h("h1", {}, "Runs"), h("span", { class: "muted", id: "runs-count" }), h("span", { class: "grow" }), filter),
      h("div", { class: "lab-table-box lab-card", tabindex: "0", role: "region", "aria-label": "Runs" }, h("table", {}, h("thead", {}, head), body), empty)));

    function order(key) {
      down = sort === key ? !down : COLUMNS.find(([name]) => name === key)[3] === "number";
      sort = key;
      draw();
    }
    function shown() {
      const of = COLUMNS.find(([key]) => key === sort)[2];
      return rows
        .filter((row) => words.split(/\s+/).every((word) => [row.name, row.title, row.model, row.data, WORDS[row.status]].join(" ").toLowerCase().includes(word)))
        .sort((a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0) * (down ? -1 : 1));
    }
    function draw() {
      for (const cell of head.querySelectorAll("[data-column]")) {
        cell.setAttribute("aria-sort", cell.dataset.column === sort ? (down ? "descending" : "ascending") : "none");
      }
      const list = shown();
      root.querySelector("#runs-count").textContent = rows.length ? `${list.length} of ${rows.length}` : "";
      empty.hidden = list.length > 0;
      empty.textContent = rows.length ? "No run matches the filter." : "No runs yet. Launch one in an exercise; it is kept here, also after a restart.";
      put(body, list.map(line));
    }
    function line(row) {
      const busy = ["running", "paused", "waiting"].includes(row.status);
      const button = (name, title, work, more = "") => h("button", { class: `lab-button quiet small ${more}`, "aria-label": `${title}: ${row.name}`, onclick: work }, name);
      return h("tr", { "data-run": row.id },
        h("th", { scope: "row" }, h("button", { class: "lab-name", title: "Watch this run", onclick: () => watch(row) }, row.name),
          h("div", { class: "muted small" }, row.error || `${row.model || ""} · ${(row.data || "").split("/").pop()}`)),
        h("td", {}, h("span", { class: `lab-status ${row.status}` }, WORDS[row.status] || row.status)),
        h("td", {}, h("span", { class: "lab-dot", style: { background: row.colour || "var(--lab-line)" } }), row.title || "–"),
        h("td", { class: "number mono" }, row.trainable ? format.percent(row.trainable / row.total) : "–", h("div", { class: "muted small" }, row.trainable ? format.short(row.trainable) : "")),
        h("td", { class: "number mono" }, row.score === null || row.score === undefined ? "–" : format.percent(row.score), row.base_score === null || row.base_score === undefined ? null : h("div", { class: "muted small" }, `base ${format.percent(row.base_score)}`)),
        h("td", { class: "number mono" }, format.number(row.loss)),
        h("td", { class: "number mono" }, row.seconds ? format.seconds(row.seconds) : "–"),
        h("td", { class: "number mono" }, row.bytes ? format.bytes(row.bytes) : "–"),
        h("td", { class: "number" }, row.created ? new Date(row.created * 1000).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }) : "–"),
        h("td", { class: "actions" },
          row.bytes ? button("Chat", "Chat with", () => chat(row)) : null,
          row.status === "damaged" ? null : button("Form", "Open as a form", () => reopen(row)),
          row.bytes ? button("Download", "Download the adapter of", () => Lab.download(row.id)) : null,
          row.bytes && !busy && Lab.account.push ? button("Push", "Push to the Hub:", () => Lab.push(row.id, row.name)) : null,
          ["interrupted", "stopped", "failed"].includes(row.status)
            ? button("Continue", "Continue", () => act(() => Lab.resume(row.id))) : null,
          row.status === "waiting" ? button("Withdraw", "Withdraw", () => act(() => call("control", { run: row.id, action: "withdraw" }))) : null,
          ["running", "paused"].includes(row.status) ? button("Stop", "Stop", () => act(() => call("control", { run: row.id, action: "stop" }))) : null,
          row.status === "damaged" ? null : button("Rename", "Rename", (event) => rename(row, event.currentTarget.closest("tr"))),
          busy ? null : button("Delete", "Delete", () => remove(row), "warn")));
    }
    async function act(work) {
      try {
        await work();
        say("runs");
      } catch (error) {
        complain(error);
      }
      load();
    }
    const lessonOf = (name) => (Lab.tabs.find((tab) => tab.name === name && tab.kind === "exercise") || Lab.tabs.find((tab) => tab.first)).name;
    async function show(row, view) {
      try {
        const { plan, lesson } = await call("reopen", { run: row.id });
        const tab = lessonOf(lesson);
        const bench = (state().benches[tab] ||= {});
        if (view === "see") bench.plan = plan;
        bench.run = row.id;
        bench.view = view;
        Lab.save(tab);
        Lab.open(tab);
        if (view === "see") say("open-plan", plan);
        say("watch-run", row.id);
        say("view", view);
      } catch (error) {
        complain(error);
      }
    }
    const watch = (row) => show(row, "watch");
    const chat = (row) => show(row, "chat");
    const reopen = (row) => show(row, "see");
    Lab.openRun = (id) => watch({ id });
    function rename(row, tr) {
      const cell = tr.querySelector("th");
      const field = h("input", { type: "text", value: row.name, maxlength: 80, "aria-label": "New name" });
      let over = false;
      const end = (keep) => {
        if (over) return;
        over = true;
        if (keep && field.value.trim() !== row.name) act(() => call("rename", { run: row.id, name: field.value }));
        else draw();
      };
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter") end(true);
        if (event.key === "Escape") end(false);
      });
      field.addEventListener("blur", () => end(true));
      put(cell, field);
      field.focus();
      field.select();
    }
    async function remove(row) {
      const sure = await confirm(`Delete “${row.name}”?`, "Its adapter, its curves and its plan are removed from the disk. This cannot be undone.", "Delete");
      if (sure) act(() => call("delete", { run: row.id }));
    }

    async function load() {
      try {
        rows = await call("runs");
        draw();
      } catch (error) {
        put(body);
        empty.hidden = false;
        put(empty, Lab.note("error", error.message, error.hint));
      }
    }
    // While something trains the table follows it, if it is looked at.
    let timer;
    const looked = () => state().tab === "runs" && !document.hidden;
    async function follow() {
      clearTimeout(timer);
      if (!looked()) return;
      await load();
      if (rows.some((row) => ["running", "paused", "waiting"].includes(row.status))) timer = setTimeout(follow, 1500);
    }
    on("tab", follow);
    on("runs", follow);
    on("focus", follow);
    on("account", draw);
    document.addEventListener("visibilitychange", follow);
    if (Lab.tabs) follow();
    else on("framed", follow);
  });
})();
