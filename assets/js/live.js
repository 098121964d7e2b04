// The charts of a run. The page says what it has and gets what it lacks, so nothing is lost or drawn twice, and a
// reload simply starts with nothing. Only a run that moves, on a page that is seen, is asked about.
(() => {
  const { h, put, write, say, call, note, format } = Lab;
  // Milliseconds. A question costs a training on the same processor more than the picture that it leads to: the page
  // shows an answer's steps one after another until it asks again, and asks less often where that processor is its own.
  // Words that change cost more than lines that grow: they follow with every second beat.
  const BEAT = 500;
  const PACE = { process: 2000, device: 1000 }; // between two questions
  const REST = { process: 3000, device: 900 }; // between two drawings of a chart by plotly; what comes between is sketched
  const PATIENCE = 15_000; // milliseconds for an answer; one that is lost must not end the following
  const MARGINS = { l: 56, r: 14, b: 24, autoexpand: false };
  const MOVING = new Set(["waiting", "running", "paused", "stopping"]);

  Lab.live = (root, { onUpdate }) => {
    const charts = {};
    const grid = h("div", { class: "lab-charts" });
    const notes = h("div", { class: "lab-notes" });
    const figures = h("dl", { class: "lab-readout" });
    const rows = h("p", { class: "lab-rows muted small" });
    const samples = h("div", { class: "lab-samples" });
    const empty = h("div", { class: "lab-empty" }, h("p", {}, "Nothing has run here yet. ", h("strong", {}, "Launch"), " starts the plan that you picked; its curves grow here while it trains."));
    const log = h("button", { class: "lab-button quiet small", "aria-pressed": "false", onclick: () => setLog(log.getAttribute("aria-pressed") !== "true") }, "Log scale");
    const tools = h("div", { class: "row lab-live-tools" }, h("h3", { class: "grow" }, "Curves"), log);
    const found = h("div", { class: "lab-found" });
    root.append(empty, notes, figures, rows, tools, grid, found, samples);
    begun(false);

    let run = null, mark = null, timer = null, turn = 0, status = "";
    let beats = []; // what is still to be drawn of the last answer, in order
    let asking = null, more = false; // the turn whose answer is awaited, and whether somebody asked meanwhile
    const shown = new Map(); // what each part of the page shows now

    function setLog(on) {
      log.setAttribute("aria-pressed", String(on));
      for (const name of ["loss", "norm"]) {
        if (charts[name]) Lab.chart.relayout(charts[name], { "yaxis.type": on ? "log" : "linear", "yaxis.autorange": true });
      }
    }

    function show(id) {
      if (id === run && status) return again(0);
      run = id;
      mark = null;
      beats = [];
      status = "";
      more = false;
      turn++;
      clearTimeout(timer);
      empty.hidden = Boolean(id);
      shown.clear();
      for (const node of [notes, figures, rows, found, samples]) put(node);
      if (!id) begun(false);
      if (id) ask();
    }

    /** A run that has not begun has no charts: drawing them empty would cost as much as drawing them. */
    function begun(yes) {
      for (const node of [tools, grid]) node.hidden = !yes;
    }

    function again(wait, work = ask) {
      clearTimeout(timer);
      timer = setTimeout(work, wait);
    }

    /** One question at a time for a run, and another after it while the run moves: whatever goes wrong, it goes on. */
    function ask() {
      return alone(async (mine) => {
        const asked = performance.now();
        while (mine === turn && beats.length) await beats.shift()();
        const reply = await call("feed", { run, mark }, PATIENCE);
        if (mine !== turn) return;
        // Close to its end (or with none in sight) a run says other things than steps.
        const pace = (reply.left ?? 0) * 1000 > PACE.process ? PACE[reply.device_words] : PACE.device;
        const parts = shares(reply, pace / BEAT);
        beats = parts.map((points, place) => () => {
          const later = parts.length - 1 - place;
          if (later % 2) return extend(points, reply);
          return take(later ? { ...reply, points, samples: [], ...at(points) } : { ...reply, points });
        });
        mark = reply.mark;
        await beats.shift()();
        if (mine === turn && MOVING.has(reply.status)) next(1);

        /** Draw the beat that is due, or ask again. */
        function next(place) {
          const wait = asked + (place / parts.length) * pace - performance.now();
          if (!beats.length) return again(Math.max(100, wait));
          again(wait, () => alone(async () => {
            await beats.shift()?.();
            if (mine === turn) next(place + 1);
          }));
        }
      });
    }

    /** The points of an answer in at most `most` parts, step by step. */
    function shares({ points, status: now }, most) {
      const steps = points?.loss[0][0] ?? [];
      const count = MOVING.has(now) ? Math.max(1, Math.min(most, steps.length)) : 1;
      if (count === 1) return [points];
      const ends = Array.from({ length: count }, (_, place) => steps[Math.ceil((steps.length * (place + 1)) / count) - 1]);
      return ends.map((end, place) => {
        const keep = (x) => (!place || x > ends[place - 1]) && (place === count - 1 || x <= end);
        return Object.fromEntries(Object.entries(points).map(([name, traces]) =>
          [name, traces.map(([xs, ys]) => [xs.filter(keep), ys.filter((_, at) => keep(xs[at]))])]));
      });
    }

    /** Work for the run that is looked at, one at a time. */
    async function alone(work) {
      if (!run || document.hidden) return; // the page asks again when it is looked at
      if (asking === turn) return (more = true);
      const mine = (asking = turn);
      try {
        await work(mine);
      } catch (error) {
        if (mine !== turn) return;
        if (!("hint" in error)) { // not the lab's answer but a drawing that failed: all of it anew, of a run at rest once
          console.warn(error);
          if (mark || MOVING.has(status)) again(3000);
          mark = null;
          beats = [];
        } else {
          part(notes, error.message, () => note("error", error.message, error.hint));
          if (error.lost) again(3000);
          else onUpdate(null);
        }
      } finally {
        if (mine === turn) {
          asking = null;
          if (more) again(0);
          more = false;
        }
      }
    }

    function extend(points, { device_words: words }) {
      return Promise.all(Object.entries(points).map(([name, more]) => Lab.chart.extend(charts[name], more, REST[words])));
    }

    /** What the figures say at the last of these points. */
    function at({ loss: [, [steps, loss]], speed: [[, speed]] }) {
      return { step: steps.at(-1), loss: loss.at(-1), speed: speed.at(-1) };
    }

    /** Show an answer. Drawing takes time: nothing more of it is shown once another run is looked at. */
    async function take(reply) {
      const mine = turn, changed = reply.status !== status;
      status = reply.status;
      begun(reply.mark.starts > 0);
      if (reply.reset) {
        put(samples);
        for (const [name, figure] of Object.entries(reply.reset)) {
          if (!charts[name]) {
            charts[name] = h("div", { class: "plot", role: "group", "aria-label": `${figure.layout.title.text} by step` });
            Lab.sizes.observe(charts[name]);
            grid.append(h("figure", { class: `lab-chart ${name}` }, h("figcaption", {}, figure.layout.title.text), charts[name]));
          }
          charts[name].previousSibling.textContent = figure.layout.title.text;
          // Margins that fit themselves would have each chart drawn twice at every update.
          charts[name].labTop = (width) => 8 + 19 * legendRows(figure, width);
          figure.layout = { ...figure.layout, title: null, margin: { ...MARGINS, t: charts[name].labTop(charts[name].clientWidth) } };
          await Lab.chart.draw(charts[name], figure, true);
          if (mine !== turn) return;
        }
        if (log.getAttribute("aria-pressed") === "true") setLog(true);
      } else if (reply.points) {
        await extend(reply.points, reply);
      }
      if (!MOVING.has(status)) await Promise.all(Object.values(charts).map(Lab.chart.flush));
      if (mine !== turn) return;
      grid.dataset.step = String(reply.step);
      part(notes, [reply.error, reply.warnings], () => [
        reply.error ? note("error", reply.error.message, reply.error.hint) : null,
        reply.warnings.map((item) => note("warn", item.message, item.hint)),
      ]);
      tell([
        ["Step", `${format.count(reply.step)} / ${reply.steps ? format.count(reply.steps) : "–"}`],
        ["Loss", format.number(reply.loss)],
        [reply.metric || "Score", reply.score === null ? "–" : format.percent(reply.score), reply.base === null ? "" : `base ${format.percent(reply.base)}`],
        ["Tokens/s", reply.speed ? format.short(reply.speed) : "–"],
        [MOVING.has(status) ? "Time left" : "Took", format.seconds(MOVING.has(status) ? reply.left : reply.seconds)],
        ["Counted memory", reply.memory ? format.bytes(reply.memory) : "–", reply.device_memory ? `${reply.device_words} ${format.bytes(reply.device_memory)}` : ""],
      ]);
      part(rows, reply.rows, () => reply.rows);
      part(found, reply.facts, () => Object.entries(reply.facts).map(([name, values]) => byModule(name, values)));
      if (reply.samples.length) grow(reply.samples);
      onUpdate(reply);
      if (changed) say("runs");
    }

    /** Draw a part of the page anew only where its value has changed: each layout is the training's processor. */
    function part(node, value, draw) {
      const now = JSON.stringify(value);
      if (shown.get(node) === now) return;
      shown.set(node, now);
      put(node, draw());
    }

    /** Name, value and what stands below it, for each figure. */
    function tell(facts) {
      if (!figures.children.length) put(figures, facts.map(() => h("div", {}, h("dt"), h("dd", { class: "mono" }), h("dd", { class: "muted small" }))));
      facts.forEach((words, place) => [...figures.children[place].children].forEach((node, index) => write(node, words[index] || "")));
    }

    /** About how many lines the legend above a chart takes. */
    function legendRows({ data, layout }, width) {
      if (!layout.showlegend) return 0;
      const letters = data.filter((trace) => trace.showlegend !== false).map((trace) => (trace.name || "").length);
      const each = 52 + 6 * Math.max(...letters); // plotly gives every entry of a wrapped legend the widest one's room
      const fits = Math.max(1, Math.floor((width - MARGINS.l - MARGINS.r) / each));
      return Math.ceil(letters.length / fits);
    }

    /** What the method found by module (AdaLoRA: the ranks it left), a row for each layer. */
    function byModule(name, values) {
      const layer = (path) => path.match(/\.(\d+)\./)?.[1] ?? "";
      const last = (path) => path.split(".").at(-1);
      const paths = Object.keys(values);
      const layers = [...new Set(paths.map(layer))], kinds = [...new Set(paths.map(last))];
      const most = Math.max(1, ...Object.values(values));
      const cells = Object.fromEntries(paths.map((path) => [`${layer(path)} ${last(path)}`, values[path]]));
      const cell = (value) => h("td", { class: "mono", style: value === undefined ? null : { "--share": `${Math.round(100 * value / most)}%` } }, value ?? "");
      return h("section", { "data-found": name }, h("h3", {}, `${name[0].toUpperCase()}${name.slice(1)} by module`), h("div", { class: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Layer"), kinds.map((kind) => h("th", { scope: "col" }, kind)))),
        h("tbody", {}, layers.map((row) => h("tr", {}, h("th", { scope: "row" }, row), kinds.map((kind) => cell(cells[`${row} ${kind}`]))))))));
    }

    function grow(items) {
      if (!samples.children.length) {
        samples.append(h("h3", {}, "The same prompt, as it learns"), h("p", { class: "lab-prompt" }, items[0].prompt), h("ol", {}));
      }
      const list = samples.querySelector("ol");
      for (const item of items) {
        list.append(h("li", { class: item.base ? "base" : "" }, h("span", { class: "mono muted" }, item.base ? "base" : `step ${item.step}`), h("span", { class: "reply" }, item.reply || "(nothing)")));
      }
    }

    document.addEventListener("visibilitychange", () => !document.hidden && run && again(0));
    Lab.on("focus", () => run && !MOVING.has(status) && again(0));
    return { show, again, moving: () => MOVING.has(status), current: () => run };
  };
})();
