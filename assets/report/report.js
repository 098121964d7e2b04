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
      const text = section.querySelector("script").textContent.replaceAll("<\\/", "</");
      save(`${nameOf(section)}.csv`, new Blob([text], { type: "text/csv" }));
    });
  }
  // The drawing takes its colours from the page: they are written into the copy that becomes a picture.
  for (const button of document.querySelectorAll("[data-png]")) {
    button.addEventListener("click", () => {
      const section = sections[button.dataset.png], svg = section.querySelector("svg"), copy = svg.cloneNode(true);
      const theirs = copy.querySelectorAll("*");
      svg.querySelectorAll("*").forEach((node, index) => {
        const style = getComputedStyle(node);
        for (const key of ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-size"]) theirs[index].style[key] = style.getPropertyValue(key);
      });
      const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
      copy.setAttribute("width", width * 2);
      copy.setAttribute("height", height * 2);
      copy.style.fontFamily = getComputedStyle(document.body).fontFamily;
      const image = new Image();
      image.onload = () => {
        const canvas = Object.assign(document.createElement("canvas"), { width: width * 2, height: height * 2 });
        const context = canvas.getContext("2d");
        context.fillStyle = getComputedStyle(document.body).backgroundColor;
        context.fillRect(0, 0, canvas.width, canvas.height);
        context.drawImage(image, 0, 0, canvas.width, canvas.height);
        canvas.toBlob((blob) => save(`${nameOf(section)}.png`, blob));
      };
      image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(copy));
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
  document.getElementById("differences").addEventListener("change", (event) => table.classList.toggle("settings", event.target.checked));
})();
