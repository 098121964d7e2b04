// The chat: base and adapter answer the same prompt side by side. A classifier shows its labels' probabilities.
(() => {
  const { h, put, write, on, say, state, format, note } = Lab;

  Lab.define("chat", (root, { props, watch, trigger }) => {
    const { knobs } = props.value;
    const options = {};
    let run = null, talk = [], turn = 0, busy = false, ready = false, task = "";

    const controls = new Map(knobs.map((knob) => [knob.name, Lab.knob({ ...knob, elsewhere: true }, (value, how) => {
      if (how !== "bad") options[knob.name] = value;
    })]));
    function restore({ name, default: value }) {
      controls.get(name).set(value);
      options[name] = value;
    }
    knobs.forEach(restore);
    const log = h("div", { class: "lab-talk", role: "log", "aria-label": "Conversation", "aria-live": "polite", tabindex: "0" });
    const field = h("textarea", { rows: 2, "aria-label": "Message", placeholder: "Write to both…",
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          send();
        }
      } });
    const go = h("button", { class: "lab-button primary", id: "chat-send", onclick: send }, "Send");
    const halt = h("button", { class: "lab-button", id: "chat-stop", hidden: true, onclick: stop }, "Stop");
    const clear = h("button", { class: "lab-button quiet", onclick: () => reset() }, "Clear");
    const heads = h("div", { class: "lab-sides heads" }, h("div", {}, "Base"), h("div", { class: "mine" }, "With the adapter"));
    const wait = h("div", { class: "lab-empty" });
    const prompts = h("div", { class: "lab-chips", role: "group", "aria-label": "Examples" });
    const room = h("div", { class: "lab-chat" },
      h("div", { class: "lab-chat-main" }, heads, log, h("div", { class: "lab-compose" }, prompts, field, h("div", { class: "row" }, go, halt, clear))),
      h("aside", { class: "lab-chat-side", "aria-label": "How replies are drawn" }, [...controls.values()].map(({ node }) => node)));
    root.append(wait, room);

    function reset() {
      if (busy) stop();
      talk = [];
      put(log);
    }

    function side(words) {
      const text = h("div", { class: "text" });
      const node = h("div", { class: `lab-reply ${words}` }, text);
      return { node, text };
    }

    function send() {
      const text = field.value.trim();
      if (!text || busy || !ready) return;
      const left = side("base"), right = side("mine");
      if (options.strength !== 1) right.node.prepend(h("div", { class: "muted small" }, `strength ${options.strength}`));
      const problem = h("div", {});
      log.append(h("div", { class: "lab-said" }, text), h("div", { class: "lab-sides" }, left.node, right.node), problem);
      log.scrollTop = log.scrollHeight;
      const item = { user: text, base: "", adapter: "", left, right, problem };
      talk.push(item);
      field.value = "";
      turn++;
      working(true);
      const earlier = (name) => talk.flatMap((one) => (one === item ? [{ role: "user", content: text }] : [{ role: "user", content: one.user }, { role: "assistant", content: one[name] || "…" }]));
      trigger("submit", { run, turn, text, base: earlier("base"), adapter: earlier("adapter"), options: { ...options } });
    }
    function stop() {
      trigger("stop");
      turn++;
      working(false);
    }
    function working(now) {
      busy = now;
      go.hidden = now;
      halt.hidden = !now;
      root.classList.toggle("busy", now);
    }

    watch("value", () => {
      const said = props.value;
      if (!said || said.turn !== turn || !talk.length) return;
      const item = talk[talk.length - 1];
      if (said.error) put(item.problem, note("error", said.error.message, said.error.hint));
      for (const [name, place] of [["base", item.left], ["adapter", item.right]]) {
        if (said.labels) bars(place.text, said.labels[name]);
        else if (said[name] !== undefined) {
          item[name] = said[name];
          place.text.textContent = said[name];
        }
      }
      log.scrollTop = log.scrollHeight;
      if (said.done) working(false);
    });

    function bars(place, chances) {
      if (!chances) return;
      const best = Math.max(...Object.values(chances));
      put(place, h("dl", { class: "lab-chances" }, Object.entries(chances).map(([name, value]) => [
        h("dt", { class: value === best ? "best" : "" }, name),
        h("dd", {}, h("span", { class: "track" }, h("span", { style: { width: `${100 * value}%` } })), h("span", { class: "mono" }, value < 0.001 ? "<0.1%" : format.percent(value))),
      ])));
    }

    // ---- which run answers
    function settle() {
      const status = state().benches[state().tab]?.run ? (ready ? "" : "This run has saved nothing yet: it can be talked to as soon as it is done or stopped.") : "Nothing to talk to yet: launch a run, or choose one above.";
      wait.hidden = !status;
      put(wait, h("p", {}, status));
      room.hidden = Boolean(status);
      field.placeholder = task === "classify" ? "A text to classify under both…" : "Write to both…";
      go.textContent = task === "classify" ? "Classify" : "Send";
      // What draws a reply says nothing of a classifier.
      for (const node of room.querySelectorAll(".lab-chat-side [data-knob]")) node.hidden = task === "classify" && node.dataset.knob !== "strength";
    }
    on("run", ({ id }) => {
      if (id === run) return;
      run = id;
      ready = false;
      task = "";
      restore(knobs.find(({ name }) => name === "strength")); // a dial of the adapter: another run's begins as it was trained
      reset();
      settle();
    }, true);
    on("progress", (reply) => {
      if (reply.run !== run) return;
      const before = `${ready}${task}`;
      ready = reply.adapter;
      task = reply.task;
      write(heads.lastChild, `With ${Lab.methods?.[reply.method]?.title || "the adapter"}`);
      heads.lastChild.style.setProperty("--method", Lab.methods?.[reply.method]?.colour || "var(--lab-accent)");
      if (before !== `${ready}${task}`) {
        put(prompts, reply.prompts.slice(0, 4).map((text) => h("button", { class: "lab-pick ask", onclick: () => {
          field.value = text;
          send();
        } }, text)));
        settle();
      }
    }, true);
    settle();
  });
})();
