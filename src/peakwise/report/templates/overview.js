// The table of all scans: filters, search, order; a row opens the panel of its scan. A row without a panel is picked
// instead, by whoever listens for it.
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
      if (panel(row)) panel(row).hidden = row.hidden;
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
      document.getElementById("scans").append(...rows.map(panel).filter(Boolean));
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
    if (!panel(row)) row.dispatchEvent(new CustomEvent("pick", { bubbles: true }));
    else if (location.hash === "#" + row.dataset.scan) go(row);
    else location.hash = row.dataset.scan;
  });
  const all = (open) => rows.forEach((row) => !row.hidden && panel(row) && (panel(row).open = open));
  document.getElementById("open-all").addEventListener("click", () => all(true));
  document.getElementById("close-all").addEventListener("click", () => all(false));
  const asked = () => {
    const row = rows.find((r) => "#" + r.dataset.scan === location.hash);
    if (row && panel(row)) go(row);
  };
  addEventListener("hashchange", asked);
  asked();
}
