// A visit of the page: each stop points at a part and says what it is for. Escape or the last stop ends it.
// A browser that was never here before is offered it once.
(() => {
  const { h, put, on, save, state } = Lab;
  const STOPS = [
    ["#bench-form", "Pick", "A base, some data, a method and its settings. The defaults run as they stand, on this machine and without a network.", "pick"],
    ["#pick-method", "The method", "Each method changes another part of the model. Its family has one colour everywhere on the page.", "pick"],
    [".lab-panel", "See", "What will be trained, drawn to scale beside the frozen weights, and what it costs, before anything is loaded. Move a slider and watch it change.", "see"],
    ["#launch", "Launch", "Press it now, and the visit goes on by itself: the defaults take about a minute on a laptop. You can close the page meanwhile: the run goes on and is kept."],
    [".lab-view[data-view=watch]", "Watch", "Loss, score, speed and memory as they happen, and the same prompt answered again and again while it learns.", "watch"],
    ["#bench-chat", "Chat", "When the run has ended, ask the base and the adapter the same thing. The strength dial goes from the base to twice the adapter.", "chat"],
    ["#lab-lessons", "Learn", "Each tab teaches one idea beside the bench. Links in the text point at the controls or set them.", "learn"],
    ["#tab-button-runs", "Keep", "Every run, with its curves and its adapter, also after a restart."],
  ];
  let place = -1;
  const spot = h("div", { class: "lab-spot", "aria-hidden": "true" });
  const card = h("div", { class: "lab-guide", role: "dialog", "aria-label": "Guided visit", tabindex: "-1" });

  function end() {
    place = -1;
    spot.remove();
    card.remove();
  }
  function go(step) {
    place = step;
    if (place < 0 || place >= STOPS.length) return end();
    const [selector, title, text, view] = STOPS[place];
    if (Lab.tabs.find((tab) => tab.name === Lab.state().tab)?.kind !== "exercise") Lab.open(Lab.tabs.find((tab) => tab.first).name);
    if (view) Lab.say("view", view);
    const node = document.querySelector(selector);
    if (!node || !node.getClientRects().length) return go(place + 1);
    node.scrollIntoView({ block: "nearest" });
    put(card, h("h2", {}, title), h("p", {}, text),
      h("div", { class: "row" }, h("span", { class: "muted" }, `${place + 1} of ${STOPS.length}`), h("span", { style: { flex: "1" } }),
        place ? h("button", { class: "lab-button small", onclick: () => go(place - 1) }, "Back") : null,
        h("button", { class: "lab-button small primary", onclick: () => go(place + 1) }, place + 1 < STOPS.length ? "Next" : "Done"),
        h("button", { class: "lab-button small quiet", onclick: end }, "Close")));
    document.body.append(spot, card);
    arrange(node);
    card.focus();
  }
  /** Put the frame around `node` and the card where it hides nothing of it. */
  function arrange(node) {
    const box = node.getBoundingClientRect();
    const top = Math.max(4, box.top), bottom = Math.min(innerHeight - 4, box.bottom);
    Object.assign(spot.style, { left: `${box.left + 2}px`, top: `${top}px`, width: `${box.width - 4}px`, height: `${bottom - top}px` });
    const size = card.getBoundingClientRect();
    const beside = box.right + size.width + 20 < innerWidth;
    const left = beside ? box.right + 12 : box.left > size.width + 20 ? box.left - size.width - 12 : Math.max(12, Math.min(box.left, innerWidth - size.width - 12));
    const up = beside || box.left > size.width + 20 ? Math.min(top + 8, innerHeight - size.height - 12) : bottom + size.height + 12 < innerHeight ? bottom + 10 : Math.max(12, innerHeight - size.height - 12);
    Object.assign(card.style, { left: `${left}px`, top: `${up}px` });
  }
  on("guide", () => {
    welcomed();
    go(0);
  });
  // Whoever launches at the stop that says so goes on to watch.
  on("launched", () => STOPS[place]?.[0] === "#launch" && go(place + 1));

  // ---- the offer, under the header: nobody who comes with somebody's link, or who was here, is asked
  let offer = null;
  function welcomed() {
    offer?.remove();
    state().welcomed = true;
    save();
  }
  function welcome() {
    if (state().welcomed || Lab.given.plan || Lab.given.run || new URLSearchParams(location.search).has("section")) return;
    offer = h("section", { class: "lab-widget lab-welcome", "aria-label": "First time here?" },
      h("p", {}, h("strong", {}, "First time here?"), " A visit of five minutes leads through the page, to an adapter that you trained."),
      h("button", { class: "lab-button small primary", onclick: () => Lab.say("guide") }, "Start the visit"),
      h("button", { class: "lab-button small quiet", onclick: welcomed }, "No, thanks"));
    document.querySelector("#lab-header").after(offer);
  }
  on("framed", welcome, true);
  document.addEventListener("keydown", (event) => {
    if (place < 0) return;
    if (event.key === "Escape") end();
    if (event.key === "ArrowRight") go(place + 1);
    if (event.key === "ArrowLeft" && place) go(place - 1);
  });
  addEventListener("resize", () => {
    const node = place >= 0 && document.querySelector(STOPS[place][0]);
    if (node) arrange(node);
  });
})();
