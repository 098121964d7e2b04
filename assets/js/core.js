// The page's ground: widgets mount here, share one state, one server and a few helpers.
(() => {
  window.labLoaded?.(); // Gradio's own modules are there (`compat/early.js`)
  const makers = {};
  const waiting = [];
  const KEY = "peft-lab";

  /** An element with attributes, listeners (onclick: …) and children. Text always becomes a text node. */
  function h(tag, attributes, ...children) {
    const svg = SVG_TAGS.has(tag);
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style" && typeof value === "object") {
        for (const [key, item] of Object.entries(value)) node.style.setProperty(key, item);
      } else if (["value", "checked", "disabled", "selected"].includes(name) && !svg) node[name] = value;
      else node.setAttribute(name, value === true ? "" : value);
    }
    fill(node, children);
    return node;
  }
  const SVG_TAGS = new Set(["svg", "g", "rect", "line", "path", "text", "circle", "title"]);

  function fill(node, children) {
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === false) continue;
      node.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
  }

  /** Replace what `node` holds. */
  function put(node, ...children) {
    node.replaceChildren();
    fill(node, children);
    return node;
  }

  /** Write words into a node, unless they stand there: what does not change costs no layout of the page. */
  function write(node, words) {
    if (node.textContent !== words) node.textContent = words;
  }

  /** Called by each component's js_on_load; the maker may be defined in a script that runs later. */
  function mount(name, context) {
    const root = context.element.querySelector(".lab-widget") || context.element;
    if (root.dataset.mounted) return;
    root.dataset.mounted = "1";
    if (makers[name]) makers[name](root, context);
    else waiting.push([name, root, context]);
  }

  function define(name, maker) {
    makers[name] = maker;
    for (const item of waiting.splice(0)) {
      if (item[0] === name) maker(item[1], item[2]);
      else waiting.push(item);
    }
  }

  // ---- state that survives a reload, and is shared with the browser's other tabs
  let state = { tab: "", theme: "", lesson: "side", benches: {}, done: {}, answers: {} };
  function stored() {
    try {
      return JSON.parse(localStorage.getItem(KEY) || "{}");
    } catch {
      return {}; // a damaged or forbidden store only means that nothing is remembered
    }
  }
  state = { ...state, ...stored() };
  /** Keep the state; of the benches only `bench`, so that the browser's other tabs keep theirs. */
  function save(bench = state.tab) {
    const now = stored();
    const benches = { ...now.benches, ...(state.benches[bench] ? { [bench]: state.benches[bench] } : {}) };
    const [done, answers] = ["done", "answers"].map((name) => ({ ...now[name], ...state[name] }));
    try {
      localStorage.setItem(KEY, JSON.stringify({ ...now, ...state, benches, done, answers }));
    } catch {
      // Private windows may refuse: the page works without.
    }
  }

  // ---- messages between widgets
  const listeners = {}, said = {};
  /** Listen; with `late` also to what was said last before this widget was there. */
  function on(name, listener, late) {
    (listeners[name] ||= []).push(listener);
    if (late && name in said) listener(said[name]);
  }
  function say(name, detail) {
    said[name] = detail;
    (listeners[name] || []).forEach((listener) => listener(detail));
  }

  // ---- the server: every call answers {ok: value} or {error: {message, hint}}
  let attach;
  const attached = new Promise((resolve) => (attach = resolve));
  /** Ask a service. With `patience`, an answer that takes more milliseconds counts as a lost connection. */
  async function call(name, argument, patience) {
    const server = await attached;
    // A refused or broken connection comes back as nothing.
    const asked = server[name](argument === undefined ? {} : argument).catch(() => null);
    const answer = await (patience ? Promise.race([asked, new Promise((done) => setTimeout(done, patience))]) : asked);
    if (!answer) {
      const error = new Error("The lab does not answer.");
      error.hint = "Is its window still open? Start it again with `python app.py`; no run is lost.";
      error.lost = true;
      throw error;
    }
    if (answer.error) {
      const error = new Error(answer.error.message);
      error.hint = answer.error.hint || "";
      throw error;
    }
    return answer.ok;
  }

  // ---- how numbers are written
  const group = new Intl.NumberFormat("en-US");
  const count = (value) => group.format(Math.round(value));
  function short(value) {
    for (const [size, unit] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e4, "k"]]) {
      if (value >= size) return trim(value / (unit === "k" ? 1e3 : size)) + unit;
    }
    return count(value);
  }
  const trim = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
  function bytes(value) {
    for (const [size, unit] of [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) {
      if (value >= size) return `${trim(value / size)} ${unit}`;
    }
    return `${Math.round(value)} B`;
  }
  function percent(share) {
    const value = 100 * share;
    return `${value >= 99.95 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(2)}%`;
  }
  function seconds(value) {
    if (value === null || value === undefined || !isFinite(value)) return "–";
    if (value < 10) return `${value.toFixed(1)} s`;
    if (value < 90) return `${Math.round(value)} s`;
    const minutes = Math.round(value / 60);
    return minutes < 90 ? `${Math.floor(value / 60)} min ${Math.round(value % 60)} s` : `${(value / 3600).toFixed(1)} h`;
  }
  function number(value, digits = 3) {
    if (value === null || value === undefined || !isFinite(value)) return "–";
    if (value === 0) return "0";
    const size = Math.abs(value);
    return size < 1e-3 || size >= 1e5 ? value.toExponential(1).replace("e+", "e") : String(+value.toPrecision(digits));
  }

  /** One sentence and its hint, as a note: tone is "error", "warn" or "info". */
  function note(tone, message, hint) {
    return h("div", { class: `lab-note ${tone}`, role: tone === "error" ? "alert" : "status" },
      h("strong", {}, message), hint ? h("span", {}, ` ${hint}`) : null);
  }

  let toaster;
  function toast(tone, message, hint) {
    toaster ||= document.body.appendChild(h("div", { class: "lab-toasts", "aria-live": "polite" }));
    const item = note(tone, message, hint);
    toaster.append(item);
    setTimeout(() => item.remove(), 6000);
  }
  const complain = (error) => toast("error", error.message, error.hint);

  function debounce(fn, wait) {
    let timer;
    return (...args) => {
      clearTimeout(timer);
      timer = setTimeout(() => fn(...args), wait);
    };
  }

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.body.appendChild(h("textarea", { value: text }));
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    if (!button) return;
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = before), 1200);
  }

  /** Ask before something is lost (or, with another tone, done); resolves to true or false. Escape says no. */
  function confirm(question, detail, action, tone = "danger") {
    return new Promise((resolve) => {
      const dialog = h("dialog", { class: "lab-dialog", "aria-label": question },
        h("h2", {}, question), h("p", {}, detail),
        h("div", { class: "row end" },
          h("button", { class: "lab-button", onclick: () => dialog.close("") }, "Cancel"),
          h("button", { class: `lab-button ${tone}`, onclick: () => dialog.close("yes") }, action)));
      dialog.addEventListener("close", () => {
        resolve(dialog.returnValue === "yes");
        dialog.remove();
      });
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  window.Lab = {
    h, put, write, mount, define, on, say, call, attach, note, toast, complain, debounce, copy, confirm, save,
    state: () => state,
    format: { count, short, bytes, percent, seconds, number },
  };
})();
