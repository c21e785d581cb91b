// The page of descriptors: figures drawn when they are looked at; a point leads to its scan, a row to its point.
const drawn = new Map();
let all = null; // the cloud is unpacked once
const cloud = () => all || (all = Described.of(read("data-descriptors")));

const kinds = {
  small: async (figure) => new Small(figure, await cloud(), Number(figure.dataset.target)),
  explore: async (figure) => new Explore(figure, await cloud()),
  pattern: async (figure) => new PatternFigure(figure, await cloud(), Number(figure.dataset.target)),
  chart: async (figure, data) => new Chart(figure, data),
};
const load = loadBy(kinds, drawn);
const isOpen = (figure) => !figure.closest("details:not([open])");
const ahead = drawOnSight(load, () => [...document.querySelectorAll("figure.plot")].find((f) => isOpen(f) && !drawn.has(f)));
document.addEventListener("toggle", (event) => event.target.open && setTimeout(ahead, 200), true);
redrawWhere(() => figures.forEach((figure) => figure.draw()));

// A row without a panel shows its scan in the large figure.
document.addEventListener("pick", async (event) => {
  const figure = document.querySelector("figure[data-kind=explore]"), plot = figure && (await load(figure));
  if (!plot) return;
  figure.scrollIntoView({ block: "center" });
  plot.box.focus({ preventScroll: true });
  plot.show(Number(event.target.dataset.scan.replace("scan-", "")) - 1);
});
document.addEventListener("scan", (event) => {
  const name = `scan-${event.detail + 1}`;
  if (document.getElementById(name)) location.hash = name;
});
