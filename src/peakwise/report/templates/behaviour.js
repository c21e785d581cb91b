// What every page does: figures drawn when they are looked at, numbers that lead to figures, copying.

const read = (name) => JSON.parse(document.getElementById(name).textContent);

// `load` of figures of several kinds: each is drawn once, from the data block that it names, by the member of `kinds`.
function loadBy(kinds, drawn) {
  return (figure) => {
    if (!drawn.has(figure))
      drawn.set(figure, kinds[figure.dataset.kind](figure, read(figure.dataset.block)).catch((problem) => {
        figure.append(make("p", "note", "The plot cannot be drawn: " + problem.message));
        return null;
      }).finally(() => figure.classList.add("drawn")));
    return drawn.get(figure);
  };
}

// `load` draws a figure; `next` names one that may be drawn while nothing else is to do, so that it can be printed.
function drawOnSight(load, next) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      load(entry.target);
    }
  }, { rootMargin: "300px" });
  document.querySelectorAll("figure.plot").forEach((figure) => seen.observe(figure));
  const ahead = async () => {
    const figure = next();
    if (!figure) return;
    await load(figure);
    setTimeout(ahead, 30);
  };
  addEventListener("load", () => setTimeout(ahead, 500));
  return ahead;
}

// Colours follow the system; on paper they are those of a light page.
function redrawWhere(redraw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  for (const [event, printing] of [["beforeprint", true], ["afterprint", false]])
    addEventListener(event, () => {
      document.documentElement.classList.toggle("print", printing);
      redraw();
    });
}

// A number in a table leads to its place in the figure that `figureOf` names for its button.
function leadTo(figureOf, load) {
  for (const button of document.querySelectorAll("button.go"))
    button.addEventListener("click", async () => {
      const figure = figureOf(button);
      const plot = figure && (await load(figure));
      if (!plot) return;
      figure.scrollIntoView({ block: "nearest" });
      plot.box.focus({ preventScroll: true });
      plot.show(Number(button.dataset.x));
    });
}

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
