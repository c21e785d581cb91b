// The page of what is new: figures drawn when they are looked at, scans found on the maps.
const drawn = new Map();
let all = null; // the cloud is unpacked once
const cloud = () => all || (all = Cloud.of(read("data-cloud")));

const kinds = {
  async scan(figure, data) {
    const names = data.hasKnown ? ["x", "before", "behind"] : ["x", "behind"], columns = await unpack(data.packed, names, data.n);
    if (!columns.before) columns.before = new Float32Array(data.n).fill(NaN);
    const [first, second] = data.words;
    data.words = { first, second, change: "difference", rest: `${second} − ${first}`, intensity: "intensity" };
    return new Overlay(figure, data, columns);
  },
  latent: async (figure) => new Latent(figure, await cloud()),
  library: async (figure) => new Library(figure, await cloud()),
  violin: async (figure) => new Violin(figure, await cloud()),
  mixing: async (figure) => new Mixing(figure, await cloud()),
};
const load = loadBy(kinds, drawn);

const isOpen = (figure) => !figure.closest("details:not([open])");
const ahead = drawOnSight(load, () => [...document.querySelectorAll("figure.plot")].find((f) => isOpen(f) && !drawn.has(f)));
document.addEventListener("toggle", (event) => event.target.open && setTimeout(ahead, 200), true);
redrawWhere(() => figures.forEach((figure) => figure.draw()));
leadTo((button) => button.closest("details").querySelector("figure.plot"), load);

// A scan is shown on the first map.
async function onMap(index) {
  const figure = document.querySelector(".map figure.plot"), plot = figure && (await load(figure));
  if (!plot) return;
  figure.scrollIntoView({ block: "center" });
  plot.box.focus({ preventScroll: true });
  plot.show(index);
}
for (const button of document.querySelectorAll("button.on-map")) button.addEventListener("click", () => onMap(Number(button.dataset.index)));
document.addEventListener("pick", (event) => onMap(Number(event.target.dataset.scan.replace("scan-", "")) - 1));
// A point that is clicked leads to the panel of its scan, where it has one.
document.addEventListener("scan", (event) => {
  const name = `scan-${event.detail + 1}`;
  if (document.getElementById(name)) location.hash = name;
});
