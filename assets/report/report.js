(() => {
  const save = (name, blob) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const sections = [...document.querySelectorAll(".picture")];
  const nameOf = (section) => slug(section.querySelector("h2").textContent);

  for (const button of document.querySelectorAll("[data-csv]")) {
    button.addEventListener("click", () => {
      const section = sections[button.dataset.csv];
      const text = section.querySelector("[type='text/csv']").textContent.replaceAll("<\\/", "</");
      save(`${nameOf(section)}.csv`, new Blob([text], { type: "text/csv" }));
    });
  }
  // ---- charts: plotly's script is part of this file, packed
  async function library() {
    const packed = atob(document.getElementById("plotly").textContent);
    const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
    const text = new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
    document.head.append(Object.assign(document.createElement("script"), { textContent: await text }));
    return window.Plotly;
  }
  const CONFIG = { displayModeBar: false, responsive: true };
  const figures = sections.map((section) => JSON.parse(section.querySelector("[type='application/json']").textContent));
  const charts = sections.map((section) => section.querySelector(".chart"));
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /** The figure's layout in the page's colours; `more` is added. */
  function themed({ layout }, more) {
    const line = color("--line"), font = { ...layout.font, color: color("--muted") };
    const hover = { bgcolor: color("--bg"), bordercolor: line, font: { color: color("--ink") } };
    const next = { ...layout, font, hoverlabel: { ...layout.hoverlabel, ...hover }, ...more };
    for (const axis of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
      next[axis] = { automargin: true, ...layout[axis], gridcolor: line, linecolor: line, zerolinecolor: line };
    }
    return next;
  }
  async function draw() {
    const Plotly = await plotly;
    figures.forEach((figure, index) => Plotly.react(charts[index], figure.data, themed(figure), CONFIG));
  }
  const plotly = sections.length ? library() : null;
  plotly?.then(() => {
    for (const chart of charts) chart.replaceChildren();
    draw();
    for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", draw);
  }).catch(() => {
    for (const section of sections) {
      section.querySelector(".chart").style.height = "auto";
      section.querySelector(".chart").textContent = "This browser is too old to draw the chart.";
      section.querySelector("details").open = true;
    }
  });
  for (const button of document.querySelectorAll("[data-png]")) {
    button.addEventListener("click", async () => {
      const { png: index } = button.dataset, { width, height } = charts[index].getBoundingClientRect();
      const ground = color("--bg"), layout = themed(figures[index], { paper_bgcolor: ground, plot_bgcolor: ground });
      const image = { data: figures[index].data, layout };
      const url = await (await plotly).toImage(image, { format: "png", width, height, scale: 2 });
      Object.assign(document.createElement("a"), { href: url, download: `${nameOf(sections[index])}.png` }).click();
    });
  }
  document.getElementById("save-plan").addEventListener("click", () =>
    save("comparison.yaml", new Blob([document.getElementById("plan").textContent], { type: "text/yaml" })));

  const table = document.getElementById("figures"), body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const texts = new Set([...body.rows].map((row) => row.cells[column].textContent));
    if (head.classList.contains("setting") && texts.size > 1) {
      for (const row of table.rows) row.cells[column].classList.add("differs");
    }
    head.tabIndex = 0;
    const sort = () => {
      const up = head.getAttribute("aria-sort") === "descending";
      const number = head.dataset.sort === "number";
      const of = (row) => {
        const cell = row.cells[column];
        if (!number) return cell.textContent;
        const value = parseFloat(cell.dataset.value ?? cell.textContent);
        return Number.isNaN(value) ? -Infinity : value;
      };
      const rows = [...body.rows].sort((a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0) * (up ? 1 : -1));
      heads.forEach((item) => item.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      body.append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => event.key === "Enter" && sort());
  });
  document.getElementById("differences").addEventListener("change", ({ target }) =>
    table.classList.toggle("settings", target.checked));
})();
