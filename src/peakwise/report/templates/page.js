// The page: plots that are drawn when they are looked at, the table of all scans, copying.
const plots = new Map();

async function load(figure) {
  if (plots.has(figure)) return;
  plots.set(figure, null);
  try {
    const data = JSON.parse(document.getElementById(figure.dataset.block).textContent);
    const columns = await unpack(data.packed, data.blocks, data.n);
    const told = data.explanation;
    const why = told ? await unpack(told.packed, told.blocks, told.n) : null;
    plots.set(figure, new Plot(figure, data, columns, why));
  } catch (problem) {
    figure.append(make("p", "note", "The plot cannot be drawn: " + problem.message));
  }
  figure.dispatchEvent(new CustomEvent("drawn"));
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    load(entry.target);
  }
}, { rootMargin: "300px" });
document.querySelectorAll("figure.plot").forEach((figure) => seen.observe(figure));

// What is open is made ready while nothing else is to do, so that it can be printed.
async function ahead() {
  for (const figure of document.querySelectorAll("details[open] figure.plot")) {
    if (plots.has(figure)) continue;
    await load(figure);
    setTimeout(ahead, 30);
    return;
  }
}
addEventListener("load", () => setTimeout(ahead, 500));
document.addEventListener("toggle", (event) => event.target.open && setTimeout(ahead, 200), true);

function redraw() {
  for (const plot of plots.values()) if (plot) plot.draw();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
for (const [event, printing] of [["beforeprint", true], ["afterprint", false]])
  addEventListener(event, () => {
    document.documentElement.classList.toggle("print", printing);
    redraw();
  });

// A number in a table leads to its place in the plot.
for (const button of document.querySelectorAll("button.go"))
  button.addEventListener("click", async () => {
    const figure = button.closest("details").querySelector("figure.plot");
    if (!figure) return;
    await load(figure);
    const plot = plots.get(figure);
    if (!plot) return;
    figure.scrollIntoView({ block: "nearest" });
    plot.box.focus({ preventScroll: true });
    plot.show(Number(button.dataset.x));
  });

for (const button of document.querySelectorAll("button.copy"))
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.from);
    let done = true;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "copied" : "press Ctrl+C";
    setTimeout(() => (button.textContent = "copy"), 2000);
  });

// The overview.
const overview = document.getElementById("overview");
if (overview) {
  const body = overview.querySelector("tbody");
  const rows = [...body.rows];
  const filters = [...overview.querySelectorAll("button.filter")];
  const search = overview.querySelector("input[type=search]");
  const shown = document.getElementById("shown");
  const panel = (row) => document.getElementById(row.dataset.scan);

  const filter = () => {
    const kind = filters.find((b) => b.getAttribute("aria-pressed") === "true").dataset.verdict;
    const words = search.value.trim().toLowerCase();
    let n = 0;
    for (const row of rows) {
      row.hidden = (kind && row.dataset.verdict !== kind) || !row.textContent.toLowerCase().includes(words);
      panel(row).hidden = row.hidden;
      if (!row.hidden) n++;
    }
    shown.textContent = n === rows.length ? "" : `${n} of ${rows.length} shown`;
  };
  for (const button of filters)
    button.addEventListener("click", () => {
      filters.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
      filter();
    });
  search.addEventListener("input", filter);

  const heads = [...overview.querySelectorAll("thead th")];
  const names = new Intl.Collator("en", { numeric: true });
  const key = (row, i) => row.cells[i].dataset.sort;
  heads.forEach((head, i) =>
    head.firstChild.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const numbers = rows.every((row) => key(row, i) === "" || isFinite(Number(key(row, i))));
      const compare = numbers ? (a, b) => Number(a) - Number(b) : names.compare;
      rows.sort((a, b) => {
        const [x, y] = [key(a, i), key(b, i)];
        if (x === "" || y === "") return (x === "") - (y === ""); // what is unknown stays last
        return up ? compare(x, y) : compare(y, x);
      });
      body.append(...rows);
      document.getElementById("scans").append(...rows.map(panel));
    })
  );

  const go = (row) => {
    panel(row).open = true;
    panel(row).scrollIntoView({ block: "start" });
    panel(row).querySelector("summary").focus({ preventScroll: true });
  };
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row) return;
    event.preventDefault();
    if (location.hash === "#" + row.dataset.scan) go(row);
    else location.hash = row.dataset.scan;
  });
  const all = (open) => rows.forEach((row) => !row.hidden && (panel(row).open = open));
  document.getElementById("open-all").addEventListener("click", () => all(true));
  document.getElementById("close-all").addEventListener("click", () => all(false));
  const asked = () => {
    const row = rows.find((r) => "#" + r.dataset.scan === location.hash);
    if (row) go(row);
  };
  addEventListener("hashchange", asked);
  asked();
}
