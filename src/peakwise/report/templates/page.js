// The page: plots that are drawn when they are looked at, the table of all scans.
const plots = new Map();
const drawn = [];

// A plot that is being drawn is waited for, not drawn twice.
function load(figure) {
  if (!plots.has(figure)) plots.set(figure, drawPlot(figure));
  return plots.get(figure);
}

async function drawPlot(figure) {
  try {
    const data = read(figure.dataset.block);
    const columns = await unpack(data.packed, data.blocks, data.n);
    const told = data.explanation;
    const why = told ? await unpack(told.packed, told.blocks, told.n) : null;
    const plot = new Plot(figure, data, columns, why);
    drawn.push(plot);
    return plot;
  } catch (problem) {
    figure.append(make("p", "note", "The plot cannot be drawn: " + problem.message));
    return null;
  } finally {
    figure.dispatchEvent(new CustomEvent("drawn"));
  }
}

const ahead = drawOnSight(load, () => [...document.querySelectorAll("details[open] figure.plot")].find((f) => !plots.has(f)));
document.addEventListener("toggle", (event) => event.target.open && setTimeout(ahead, 200), true);
redrawWhere(() => drawn.forEach((plot) => plot.draw()));
leadTo((button) => button.closest("details").querySelector("figure.plot"), load);
