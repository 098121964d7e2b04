// The table of runs: sort, filter, rename, delete, open again, download, continue.
(() => {
  const { h, put, on, say, state, call, complain, confirm, format } = Lab;
  const COLUMNS = [
    ["name", "Run"],
    ["status", "Status"],
    ["method", "Method"],
    ["share", "Trained", "number"],
    ["score", "Score", "number"],
    ["loss", "Loss", "number"],
    ["seconds", "Time", "number"],
    ["bytes", "Size", "number"],
    ["created", "Started", "number"],
  ];
  // Rows that are asked for at first, and with each "Show more".
  const PAGE = 200;

  Lab.define("runs", (root) => {
    let rows = [], matching = 0, total = 0, moving = false, sort = "created", down = true, limit = PAGE;
    const filter = h("input", {
      type: "search",
      maxlength: 200,
      placeholder: "Filter by name, method, model, data or status",
      "aria-label": "Filter the runs",
      oninput: Lab.debounce(() => {
        limit = PAGE;
        load();
      }, 120),
    });
    const body = h("tbody", {});
    const head = h("tr", {},
      COLUMNS.map(([key, title, kind]) => h("th", { scope: "col", class: kind || "", "data-column": key },
        h("button", { onclick: () => order(key) }, title))),
      h("th", {}, h("span", { class: "lab-hidden" }, "Actions")));
    const empty = h("p", { class: "lab-empty" });
    const more = h("button", { class: "lab-button", id: "runs-more", hidden: true, onclick: () => {
      limit += PAGE;
      load();
    } });
    root.append(h("div", { class: "lab-runs" },
      h("div", { class: "row lab-runs-head" }, h("h1", {}, "Runs"), h("span", { class: "muted", id: "runs-count" }), h("span", { class: "grow" }), filter),
      h("div", { class: "lab-table-box lab-card", tabindex: "0", role: "region", "aria-label": "Runs" }, h("table", {}, h("thead", {}, head), body), empty), more));

    function order(key) {
      down = sort === key ? !down : COLUMNS.find(([name]) => name === key)[2] === "number";
      sort = key;
      load();
    }
    function draw() {
      for (const cell of head.querySelectorAll("[data-column]")) {
        cell.setAttribute("aria-sort", cell.dataset.column === sort ? (down ? "descending" : "ascending") : "none");
      }
      const count = format.count;
      root.querySelector("#runs-count").textContent = total ? `${count(matching)} of ${count(total)}` : "";
      empty.hidden = rows.length > 0;
      empty.textContent = total ? "No run matches the filter."
        : "No runs yet. Launch one in an exercise; it is kept here, also after a restart.";
      const rest = matching - rows.length;
      more.hidden = rest <= 0;
      more.textContent = `Show ${count(Math.min(rest, PAGE))} more of ${count(rest)}`;
      put(body, rows.map(line));
    }
    function line(row) {
      const busy = ["running", "paused", "waiting"].includes(row.status);
      const closed = ["damaged", "newer"].includes(row.status);
      const button = (name, title, work, more = "") => h("button", { class: `lab-button quiet small ${more}`, "aria-label": `${title}: ${row.name}`, onclick: work }, name);
      return h("tr", { "data-run": row.id },
        h("th", { scope: "row" }, h("button", { class: "lab-name", title: "Watch this run", onclick: () => watch(row) }, row.name),
          h("div", { class: "muted small" }, row.error || `${row.model || ""} · ${(row.data || "").split("/").pop()}`)),
        h("td", {}, h("span", { class: `lab-status ${row.status}` }, row.state)),
        h("td", {}, h("span", { class: "lab-dot", style: { background: row.colour || "var(--lab-line)" } }), row.title || "–"),
        h("td", { class: "number mono" }, row.trainable ? format.percent(row.trainable / row.total) : "–", h("div", { class: "muted small" }, row.trainable ? format.short(row.trainable) : "")),
        h("td", { class: "number mono" }, row.score === null || row.score === undefined ? "–" : format.percent(row.score), row.base_score === null || row.base_score === undefined ? null : h("div", { class: "muted small" }, `base ${format.percent(row.base_score)}`)),
        h("td", { class: "number mono" }, format.number(row.loss)),
        h("td", { class: "number mono" }, row.seconds ? format.seconds(row.seconds) : "–"),
        h("td", { class: "number mono" }, row.bytes ? format.bytes(row.bytes) : "–"),
        h("td", { class: "number" }, row.created ? new Date(row.created * 1000).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }) : "–"),
        h("td", { class: "actions" },
          row.bytes && !closed ? button("Chat", "Chat with", () => chat(row)) : null,
          closed ? null : button("Form", "Open as a form", () => reopen(row)),
          row.bytes && !closed ? button("Download", "Download the adapter of", () => Lab.download(row.id)) : null,
          row.bytes && !busy && !closed && Lab.account.push ? button("Push", "Push to the Hub:", () => Lab.push(row.id, row.name)) : null,
          ["interrupted", "stopped", "failed"].includes(row.status)
            ? button("Continue", "Continue", () => act(() => Lab.resume(row.id))) : null,
          row.status === "waiting" ? button("Withdraw", "Withdraw", () => act(() => call("control", { run: row.id, action: "withdraw" }))) : null,
          ["running", "paused"].includes(row.status) ? button("Stop", "Stop", () => act(() => call("control", { run: row.id, action: "stop" }))) : null,
          closed ? null : button("Rename", "Rename", (event) => rename(row, event.currentTarget.closest("tr"))),
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

    let turn = 0;
    async function load() {
      const mine = ++turn;
      try {
        const answer = await call("runs", { words: filter.value, sort, down, limit });
        if (mine !== turn) return; // something else was asked for meanwhile
        ({ rows, matching, total, moving } = answer);
        draw();
      } catch (error) {
        if (mine !== turn) return;
        more.hidden = true;
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
      const began = performance.now();
      await load();
      // Where a list takes long it is asked for less often: what trains needs the processor.
      if (moving) timer = setTimeout(follow, Math.max(1500, 20 * (performance.now() - began)));
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
