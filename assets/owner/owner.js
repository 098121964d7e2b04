// The owner's page: asks for the load every few seconds while it is looked at. All text becomes text nodes.
(() => {
  const main = document.getElementById("main");
  const root = location.pathname.replace(/\/owner\/?$/, "");
  document.documentElement.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);

  function h(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) node.setAttribute(name, value);
    }
    node.append(...children.flat().filter((child) => child !== null).map((child) => (child instanceof Node ? child : String(child))));
    return node;
  }
  function bytes(value) {
    for (const [size, unit] of [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) if (value >= size) return `${(value / size).toFixed(1)} ${unit}`;
    return `${value} B`;
  }
  const UNITS = { seconds: "seconds", measuring: "seconds", idle: "seconds", download: "of a repository", upload: "of a file", disk: "of runs and files", reply: "tokens", parameters: "of a base" };
  const time = (value) => new Date(value * 1000).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  const ask = (path, body) => fetch(`${root}/owner/${path}`, body ? { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {});

  // ---- the door
  function door(words) {
    const field = h("input", { type: "password", id: "token", autocomplete: "current-password", required: "" });
    main.replaceChildren(h("form", { class: "door", onsubmit: async (event) => {
      event.preventDefault();
      const answer = await ask("enter", { token: field.value });
      if (answer.ok) look();
      else door((await answer.json()).detail);
    } }, h("h2", {}, "Only for the owner of this lab"), words ? h("div", { class: "note", role: "alert" }, words) : null,
      h("label", { for: "token" }, "The owner's token"), field, h("button", { class: "primary" }, "Enter"),
      h("div", { class: "muted" }, "On Spaces the author of the Space signs in on the lab's page and comes back here.")));
    field.focus();
  }

  // ---- what there is to be seen
  let problem = "", timer;
  const figure = (title, value, more, share) => h("div", {}, h("dt", {}, title), h("dd", {}, value, more ? h("small", {}, more) : null),
    share === undefined ? null : bar(share));
  function bar(share) {
    const span = h("span", {});
    span.style.width = `${Math.min(100, 100 * share)}%`;
    return h("div", { class: "track" }, span);
  }
  const section = (id, title, ...inside) => h("section", { id }, h("h2", {}, title), ...inside);
  const table = (heads, rows, none) => (rows.length ? h("div", { class: "box", tabindex: "0", role: "region", "aria-label": "Table" }, h("table", {},
    h("thead", {}, h("tr", {}, heads.map(([name, kind]) => h("th", { class: kind || "", scope: "col" }, name)))), h("tbody", {}, rows))) : h("div", { class: "muted" }, none));
  function acts(run) {
    const busy = ["running", "waiting"].includes(run.status);
    return h("td", {}, busy ? h("button", { "aria-label": `Stop ${run.name}`, onclick: () => act("stop", run) }, "Stop") : null,
      run.status === "running" ? null : h("button", { "aria-label": `Remove ${run.name}`, onclick: () => act("remove", run) }, "Remove"));
  }
  async function act(action, run) {
    if (action === "remove" && !confirm(`Remove “${run.name}” of visitor ${run.owner}? This cannot be undone.`)) return;
    const told = await (await ask("act", { action, run: run.id })).json();
    problem = told.error ? `${told.error.message} ${told.error.hint}` : "";
    look();
  }
  function draw({ load, visitors, queue, disk, limits, runs, count, faults }) {
    const at = main.querySelector("#runs .box")?.scrollLeft || 0;
    main.replaceChildren(
      ...(problem ? [h("div", { class: "note", role: "alert" }, problem)] : []),
      section("load", "Load", h("dl", { class: "figures" },
        figure("Processors", `${Math.round(100 * load.cpu)}%`, `of ${load.processors}`, load.cpu),
        figure("Memory of the machine", bytes(load.used), `of ${bytes(load.memory)}`, load.used / load.memory),
        figure("Memory of the lab", bytes(load.process), "", load.process / load.memory),
        figure("Visitors now", visitors.here, `${visitors.kept} of ${visitors.most} places taken`, visitors.kept / visitors.most),
        figure("Queue", queue.length, queue.length ? "one trains at a time" : "nothing trains"))),
      section("queue", "Queue", table([["Place", "number"], ["Run"], ["Visitor"], ["Step", "number"], ["Wait", "number"], [""]], queue.map((run) => h("tr", {},
        h("td", { class: "number" }, run.place || "trains"), h("td", { class: "wide" }, run.name), h("td", {}, run.owner),
        h("td", { class: "number" }, run.steps ? `${run.step} / ${run.steps}` : "–"), h("td", { class: "number" }, run.wait ? `${Math.round(run.wait)} s` : "–"), acts(run))), "Nobody waits.")),
      section("disk", "Disk", h("dl", { class: "figures" },
        figure("Runs", bytes(disk.runs), `${count} ${count === 1 ? "run" : "runs"}`), figure("Uploads", bytes(disk.uploads)), figure("Comparisons", bytes(disk.comparisons)),
        figure("Passing through", bytes(disk.served)), figure("The whole disk", bytes(disk.used), `${bytes(disk.free)} free`, disk.used / disk.total))),
      section("runs", count > runs.length ? `Runs, the newest ${runs.length} of ${count}` : "Runs", table([["Run"], ["Visitor"], ["Status"], ["Size", "number"], ["Begun"], [""]], runs.map((run) => h("tr", {},
        h("td", { class: "wide" }, run.name, run.error ? h("div", { class: "bad" }, run.error) : null), h("td", {}, run.owner), h("td", {}, run.status),
        h("td", { class: "number" }, bytes(run.bytes)), h("td", {}, time(run.created)), acts(run))), "No runs.")),
      section("faults", "Recent faults", table([["When"], ["Where"], ["What"]], faults.map((fault) => h("tr", {},
        h("td", {}, time(fault.when)), h("td", { class: "where" }, fault.where), h("td", { class: "wide" }, fault.what))), "None since the lab began.")),
      section("limits", "Limits of a visitor", h("dl", { class: "figures" }, Object.entries(limits).map(([name, value]) =>
        figure(name, ["download", "upload", "disk"].includes(name) ? bytes(value) : value.toLocaleString("en-US"), UNITS[name])))));
    const box = main.querySelector("#runs .box");
    if (box) box.scrollLeft = at;
  }
  async function look() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await ask("load");
      if (answer.status === 404) return door("");
      const told = await answer.json();
      if (told.ok) draw(told.ok);
    } catch {
      // The lab is closed or out of reach: the next question may be answered.
    }
    // A button that is being used is not taken away under the hand.
    timer = setTimeout(look, main.contains(document.activeElement) && document.activeElement.tagName === "BUTTON" ? 15000 : 4000);
  }
  document.addEventListener("visibilitychange", look);
  look();
})();
