// The header: tabs, what the device and the queue do, the theme; and the page's address.
(() => {
  const { h, put, write, on, say, state, save, call } = Lab;
  const ICONS = {
    moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z",
    sun: "M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM12 2v3M12 19v3M2 12h3M19 12h3M4.9 4.9 7 7M17 17l2.1 2.1M19.1 4.9 17 7M7 17l-2.1 2.1",
    side: "M3.5 5h17v14h-17zM10 5v14",
    wide: "M3.5 5h17v14h-17zM15.5 5v14",
    help: "M9.2 9a2.9 2.9 0 1 1 4.2 2.6c-.9.5-1.4 1-1.4 2v.4M12 17.5v.2M12 2.8a9.2 9.2 0 1 0 0 18.4 9.2 9.2 0 0 0 0-18.4Z",
  };
  const icon = (name) =>
    h("svg", { viewBox: "0 0 24 24", width: 18, height: 18, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "aria-hidden": "true" },
      h("path", { d: ICONS[name], "stroke-linecap": "round", "stroke-linejoin": "round" }));
  Lab.icon = icon;

  // ---- the address holds the tab, the form and the run
  const given = new URLSearchParams(location.search);
  Lab.given = { tab: given.get("tab"), plan: given.get("plan"), run: given.get("run") };
  Lab.address = (parts) => {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(parts)) value ? query.set(name, value) : query.delete(name);
    history.replaceState(null, "", `${location.pathname}?${query}`);
  };

  // ---- theme
  function paint(theme) {
    for (const node of [document.documentElement, document.body]) node.classList.toggle("dark", theme === "dark");
    document.body.dataset.labTheme = theme;
    say("theme", theme);
  }
  const preferred = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  Lab.theme = () => document.body.dataset.labTheme || "light";

  Lab.define("frame", (root, { props }) => {
    const { tabs, functions } = props.value;
    const logo = h("svg", { viewBox: "0 0 26 26", width: 24, height: 24, "aria-hidden": "true" },
      h("rect", { x: 8, y: 8, width: 17, height: 17, rx: 2.5, fill: "var(--lab-frozen)" }),
      h("rect", { x: 1, y: 8, width: 4.5, height: 17, rx: 1.5, fill: "var(--lab-accent)" }),
      h("rect", { x: 8, y: 1, width: 17, height: 4.5, rx: 1.5, fill: "var(--lab-accent)" }));
    const buttons = new Map();
    const nav = h("nav", { role: "tablist", "aria-label": "Exercises and tools" });
    tabs.forEach((tab, index) => {
      if (index && tab.kind !== tabs[index - 1].kind) nav.append(h("span", { class: "gap", "aria-hidden": "true" }));
      const button = h("button", { role: "tab", id: `tab-button-${tab.name}`, "aria-controls": `tab-${tab.name}`, title: tab.hint, onclick: () => open(tab.name) },
        tab.number ? h("span", { class: "no" }, tab.number) : null, tab.title);
      buttons.set(tab.name, button);
      nav.append(button);
    });
    nav.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const names = [...buttons.keys()];
      const next = names[(names.indexOf(state().tab) + step + names.length) % names.length];
      open(next);
      buttons.get(next).focus();
    });

    const device = h("span", { class: "lab-chip chip-device", title: "The device that trains" }, "Warming up…");
    const queue = h("button", { class: "lab-chip", "aria-label": "Queue", onclick: () => open("runs") },
      h("span", { class: "dot" }), h("span", { class: "words" }, "Idle"));
    const theme = h("button", { class: "lab-icon", "aria-label": "Switch between light and dark" });
    const lesson = h("button", { class: "lab-icon", "aria-label": "Lesson: beside, wide or hidden", title: "Lesson: beside, wide or hidden" }, icon("side"));
    const guide = h("button", { class: "lab-icon", "aria-label": "Guided visit", title: "Guided visit" }, icon("help"));
    guide.addEventListener("click", () => say("guide"));
    lesson.addEventListener("click", () => layout({ side: "wide", wide: "hidden", hidden: "side" }[state().lesson] || "side"));
    theme.addEventListener("click", () => {
      state().theme = Lab.theme() === "dark" ? "light" : "dark";
      save();
      show();
    });
    function show() {
      const now = state().theme || preferred();
      paint(now);
      put(theme, icon(now === "dark" ? "sun" : "moon"));
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);

    root.append(h("header", { class: "lab-header" },
      h("div", { class: "brand" }, logo, "PEFT Lab"), nav,
      h("div", { class: "tools" }, device, queue, lesson, guide, theme)));

    function layout(how) {
      state().lesson = how;
      document.body.dataset.labLesson = how;
      save();
      setTimeout(() => window.dispatchEvent(new Event("resize")), 30);
    }
    Lab.layout = layout;

    function open(name) {
      const tab = tabs.find((item) => item.name === name) || tabs.find((item) => item.first) || tabs[0];
      const before = state().tab;
      state().tab = tab.name;
      save();
      for (const [key, button] of buttons) {
        button.setAttribute("aria-selected", String(key === tab.name));
        button.tabIndex = key === tab.name ? 0 : -1;
      }
      buttons.get(tab.name).scrollIntoView({ block: "nearest", inline: "nearest" });
      document.body.dataset.labTab = tab.name;
      document.body.dataset.labKind = tab.kind;
      document.title = `${tab.title} · PEFT Lab`;
      Lab.address({ tab: tab.name });
      if (tab.kind !== "exercise") Lab.address({ plan: "", run: "" });
      if (before !== tab.name) scrollTo(0, 0);
      say("tab", tab);
      // The tab's own listener (lab.ui.frame.opened) loads what it needs when it is first looked at.
      setTimeout(() => {
        press(tab.name, 100);
        window.dispatchEvent(new Event("resize"));
      }, 30);
    }
    /** The header is there before the tabs: at first the button that is to be pressed may still be missing. */
    function press(name, tries) {
      const button = document.querySelector(`#opened-${name}`);
      if (state().tab !== name) return;
      if (button) {
        button.tabIndex = -1; // it is this script's, not for who walks by the keyboard
        button.click();
      } else if (tries) setTimeout(() => press(name, tries - 1), 100);
    }
    Lab.open = open;

    // ---- what the device and the queue do: asked on loading, on return to the page, when a run that is followed
    // changes, and now and then while something runs
    let again;
    async function status() {
      try {
        const now = await call("status");
        write(device, now.device || "Warming up…");
        const words = now.running
          ? `Training${now.waiting ? `, ${now.waiting} waiting` : ""}`
          : now.waiting ? `${now.waiting} waiting` : "Idle";
        queue.classList.toggle("live", Boolean(now.running));
        write(queue.querySelector(".words"), words);
        queue.setAttribute("aria-label", `Queue: ${words}. Show the runs`);
        say("status", now);
        clearTimeout(again);
        if (!now.device || (now.running && !document.hidden)) again = setTimeout(status, now.device ? 8000 : 1500);
      } catch {
        device.textContent = "No connection";
      }
    }
    Lab.status = Lab.debounce(status, 120);
    on("runs", Lab.status);
    addEventListener("focus", () => {
      Lab.status();
      say("focus");
    });

    Lab.tabs = tabs;
    document.body.dataset.labLesson = innerWidth <= 1180 ? "side" : state().lesson || "side";
    show();
    open(Lab.given.tab || state().tab);
    status();
    say("framed");
  });

  // The service has no picture: it only lends its functions to everybody.
  Lab.define("service", (root, { server }) => Lab.attach(server));

  // ---- links in lessons: [rank](#knob-rank) points at a control, [try it](#set?rank=4) sets it
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (!link) return;
    const target = link.getAttribute("href");
    if (target.startsWith("#set?")) {
      event.preventDefault();
      say("set", Object.fromEntries(new URLSearchParams(target.slice(5))));
    } else if (target.startsWith("#tab-")) {
      event.preventDefault();
      Lab.open(target.slice(5));
    } else if (target.startsWith("#view-")) {
      event.preventDefault();
      say("view", target.slice(6));
    } else {
      const node = document.getElementById(target.slice(1));
      if (!node) return;
      event.preventDefault();
      point(node);
    }
  });
  function point(node) {
    node.closest("details")?.setAttribute("open", "");
    node.scrollIntoView({ behavior: "smooth", block: "center" });
    node.classList.add("lab-pointed");
    setTimeout(() => node.classList.remove("lab-pointed"), 1800);
    node.querySelector("input, select, button, textarea")?.focus({ preventScroll: true });
  }
  Lab.point = point;

  // ---- help on any element that carries data-help
  let tip;
  function explain(event) {
    const node = event.target.closest?.("[data-help]");
    tip?.remove();
    tip = null;
    if (!node) return;
    tip = document.body.appendChild(h("div", { class: "lab-tip", role: "tooltip" }, node.dataset.help));
    const box = node.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - size.width - 8))}px`;
    tip.style.top = `${box.bottom + size.height + 10 > innerHeight ? box.top - size.height - 6 : box.bottom + 6}px`;
  }
  for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, explain);
  for (const kind of ["focusout", "mousedown", "scroll"]) document.addEventListener(kind, () => (tip?.remove(), (tip = null)), true);
})();
