// The page of a series: its figures are drawn when they are looked at.
const drawn = new Map();

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
const load = loadBy(kinds, drawn);

drawOnSight(load, () => [...document.querySelectorAll("figure.plot")].find((figure) => !drawn.has(figure)));
redrawWhere(() => figures.forEach((figure) => figure.draw()));
// A peak leads to the figure of its boundary, a pattern to the series.
leadTo((button) => {
  const own = button.closest(".boundary");
  return own ? own.querySelector("figure.plot") : document.querySelector("figure[data-kind=series]");
}, load);
