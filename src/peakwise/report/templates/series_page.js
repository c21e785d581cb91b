// The page of a series: its figures are drawn when they are looked at.
const drawn = new Map();
const read = (name) => JSON.parse(document.getElementById(name).textContent);

const kinds = {
  async series(figure, data) {
    const columns = await unpack(data.packed, data.columns, data.listed);
    const { axis } = await unpack(data.axis, ["axis"], data.nPoints);
    const { image } = await unpack(data.image, ["image"], data.rows.length * data.nPoints);
    return new Series(figure, data, columns, axis, image);
  },
  async change(figure, data) {
    return new Changes(figure, data, await unpack(data.packed, ["x", "before", "behind"], data.n));
  },
  async points(figure, data) {
    const names = ["index", "state", "probability", ...data.maps.flatMap((_, k) => [`x${k}`, `y${k}`])];
    const first = document.querySelector("figure[data-kind=series]");
    return new Points(figure, data, await unpack(data.packed, names, data.n), first ? await load(first) : null);
  },
};

function load(figure) {
  if (!drawn.has(figure))
    drawn.set(figure, kinds[figure.dataset.kind](figure, read(figure.dataset.block)).catch((problem) => {
      figure.append(make("p", "note", "The plot cannot be drawn: " + problem.message));
      return null;
    }).finally(() => figure.classList.add("drawn")));
  return drawn.get(figure);
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) seen.unobserve(entry.target), load(entry.target);
}, { rootMargin: "300px" });
document.querySelectorAll("figure.plot").forEach((figure) => seen.observe(figure));

// What is below is made ready while nothing else is to do, so that it can be printed.
async function ahead() {
  const next = [...document.querySelectorAll("figure.plot")].find((figure) => !drawn.has(figure));
  if (!next) return;
  await load(next);
  setTimeout(ahead, 30);
}
addEventListener("load", () => setTimeout(ahead, 500));

const redraw = () => figures.forEach((figure) => figure.draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
for (const [event, printing] of [["beforeprint", true], ["afterprint", false]])
  addEventListener(event, () => {
    document.documentElement.classList.toggle("print", printing);
    redraw();
  });

// A number in a table leads to its place: a peak in the figure of its boundary, a pattern in the series.
for (const button of document.querySelectorAll("button.go"))
  button.addEventListener("click", async () => {
    const own = button.closest(".boundary");
    const figure = own ? own.querySelector("figure.plot") : document.querySelector("figure[data-kind=series]");
    const plot = figure && (await load(figure));
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
