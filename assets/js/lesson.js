// What every section of a lesson has: a link to it as it stands, an answer that is kept, a mark when it is done; and, above
// the sections, how far one is and the answers to take away.
(() => {
  const { h, put, on, say, state, save, copy, note } = Lab;
  const place = (number) => document.getElementById(`section-${number.replace(".", "-")}`);
  const { button: fold, isOpen, clicked } = Lab.accordion;

  // ---- the address: the open section and what of its exhibits stands otherwise than at first
  const touched = {}; // by section, values by control
  Lab.touch = (number, name, value, first) => {
    const mine = (touched[number] ||= {});
    if (JSON.stringify(value) === JSON.stringify(first)) delete mine[name];
    else mine[name] = value;
    address(number);
  };
  function query(number) {
    const found = new URLSearchParams(location.search);
    for (const name of [...found.keys()]) if (name === "section" || name.startsWith("set.")) found.delete(name);
    if (!number) return found;
    found.set("section", number);
    for (const [name, value] of Object.entries(touched[number] || {})) {
      // A list is its values one after the other; an empty one is one empty value.
      for (const one of Array.isArray(value) && !value.length ? [""] : [value].flat()) found.append(`set.${name}`, one);
    }
    return found;
  }
  const address = (number) => history.replaceState(null, "", `${location.pathname}?${query(number)}`);

  const given = new URLSearchParams(location.search);
  /** What the link asks for, until its section is there: {number, set: {control: [values]}}. */
  let asked = given.get("section") && { number: given.get("section"), set: {} };
  for (const [name, value] of asked ? given : []) {
    if (name.startsWith("set.")) (asked.set[name.slice(4)] ||= []).push(value);
  }
  function unfold(tries) {
    const section = asked && place(asked.number);
    if (section && !isOpen(section)) fold(section).click();
    if (!section && asked && tries) setTimeout(() => unfold(tries - 1), 150);
    if (!section && !tries) Lab.toast("warn", "The link names a section that this page does not have.", "");
  }
  on("framed", () => asked && unfold(60));

  // The name that a screen reader says tells whether a section is open; so does the address.
  function tell() {
    for (const section of document.querySelectorAll(".lab-section")) fold(section)?.setAttribute("aria-expanded", String(isOpen(section)));
  }
  document.addEventListener("click", (event) => {
    const section = clicked(event, ".lab-section");
    if (section && event.isTrusted) setTimeout(() => address(isOpen(section) ? section.id.slice(8).replace("-", ".") : ""), 0);
    if (section) setTimeout(tell, 50);
  });
  let tab = "";
  on("tab", ({ name }) => {
    if (tab && tab !== name) address("");
    tab = name;
    setTimeout(tell, 50);
  }, true);

  Lab.define("section", (root, { props, trigger, watch }) => {
    const { number, heading, tab } = props.value;
    const section = place(number);
    const answer = h("textarea", { rows: 4, "aria-label": `Your answer to ${number}`, placeholder: "In your own words. Kept in this browser.", value: state().answers[number] || "" });
    answer.addEventListener("input", () => {
      state().answers[number] = answer.value;
      save();
      say("lesson", number);
    });
    const done = h("input", { type: "checkbox", checked: Boolean(state().done[number]), onchange: () => {
      state().done[number] = done.checked;
      save();
      say("lesson", number);
    } });
    root.append(h("div", { class: "lab-section-foot" },
      h("details", { open: Boolean(answer.value) }, h("summary", {}, "Your answer"), answer),
      h("div", { class: "row" },
        h("label", {}, done, ` ${number} is done`), h("span", { class: "grow" }),
        h("button", { class: "lab-button quiet small", "aria-label": `Link to ${number} ${heading}`, title: "A link that opens this section with its controls as they stand",
          onclick: ({ currentTarget }) => copy(`${location.origin}${location.pathname}?${query(number)}`, currentTarget) }, "Link to this"))));

    let send;
    if (asked?.number === number) {
      const { set } = asked;
      asked = null;
      if (!Object.keys(set).length) return arrive();
      send = () => {
        props.value = { ...props.value, set, kept: undefined };
        trigger("input");
      };
      setTimeout(send, 200);
    }
    watch("value", () => {
      const { kept, ignored } = props.value;
      if (kept === undefined) return;
      if (kept === null) return setTimeout(send, 300); // Gradio still built the section, and sent its own value
      touched[number] = kept;
      address(number);
      if (ignored) {
        root.prepend(note("warn", ignored));
        Lab.toast("warn", ignored, "");
      }
      again();
    });
    /** The exhibits draw when their section comes into sight: let it come once more, with the link's values. */
    function again() {
      if (props.value.first) document.querySelector(`#opened-${tab}`).click();
      else for (let times = 0; times < 2; times++) fold(section).click();
      arrive();
    }
    function arrive() {
      setTimeout(() => {
        if (!isOpen(section)) fold(section).click();
        section.scrollIntoView({ block: "start" });
        if (innerWidth > 1180) scrollTo(0, 0); // the lesson scrolls beside the bench; the page does not
      }, 400);
    }
  });

  Lab.define("lesson", (root, { props }) => {
    const { sections } = props.value;
    const words = h("span", { class: "muted" }), bar = h("progress", { max: sections.length, "aria-label": "Sections done" });
    const take = (kind, words) => h("button", { class: "lab-button quiet small", "aria-label": `Answers as ${words}`, onclick: () => leave(kind) }, words);
    root.append(h("div", { class: "lab-course row" }, bar, words, h("span", { class: "grow" }),
      h("span", { class: "row" }, h("span", { class: "muted" }, "Answers:"), take("md", "Markdown"), take("html", "HTML"))));
    function show() {
      const count = sections.filter(({ number }) => state().done[number]).length;
      bar.value = count;
      put(words, `${count} of ${sections.length} done`);
      for (const { number } of sections) place(number)?.toggleAttribute("data-done", Boolean(state().done[number]));
    }
    on("lesson", show);
    on("tab", () => setTimeout(show, 200), true);

    async function leave(kind) {
      const parts = [];
      for (const { number, heading } of sections) {
        const answer = state().answers[number]?.trim() || "";
        const pictures = [];
        for (const node of place(number)?.querySelectorAll(".lab-figure") || []) {
          if (node.data) pictures.push({ label: node.getAttribute("aria-label") || "Figure", url: await Lab.chart.image(node) });
        }
        if (answer || state().done[number]) parts.push({ number, heading, answer, pictures });
      }
      if (!parts.length) return Lab.toast("warn", "There is no answer yet.", "Write one below a section, or mark the section as done.");
      const title = document.querySelector(`#tab-${props.value.tab} h1`)?.innerText || "Answers";
      const text = kind === "md" ? markdown(title, parts) : page(title, parts);
      const url = URL.createObjectURL(new Blob([text], { type: kind === "md" ? "text/markdown" : "text/html" }));
      h("a", { href: url, download: `${props.value.tab}-answers.${kind}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    }
  });

  const markdown = (title, parts) => [`# ${title}`, ...parts.map(({ number, heading, answer, pictures }) =>
    [`## ${number} ${heading}`, answer, ...pictures.map(({ label, url }) => `![${label.replace(/[[\]]/g, "")}](${url})`)].filter(Boolean).join("\n\n"))].join("\n\n") + "\n";

  function page(title, parts) {
    const body = h("body", {}, h("h1", {}, title), parts.map(({ number, heading, answer, pictures }) => h("section", {},
      h("h2", {}, `${number} ${heading}`), answer.split(/\n{2,}/).filter(Boolean).map((text) => h("p", { style: "white-space: pre-wrap" }, text)),
      pictures.map(({ label, url }) => h("figure", {}, h("img", { src: url, alt: label, style: "max-width: 100%" }), h("figcaption", {}, label))))));
    const head = h("head", {}, h("meta", { charset: "utf-8" }), h("title", {}, title), h("style", {}, "body { font: 16px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }"));
    return `<!doctype html>\n<html lang="en">${head.outerHTML}${body.outerHTML}</html>\n`;
  }
})();
