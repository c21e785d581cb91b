// Charts of many trainings: points of named series over numbers or categories, one panel at a time.
function chartCloud(panel) {
  const points = [];
  panel.series.forEach((series, s) => series.x.forEach((x, j) => points.push({ s, x, y: series.y[j], low: series.low ? series.low[j] : null, high: series.high ? series.high[j] : null })));
  const n = points.length, of = (key) => Float32Array.from(points, (p) => (p[key] === null ? NaN : p[key]));
  return {
    n, total: n, selected: null, planes: [], labels: ["point", "square", "triangle"], points, data: { threshold: null },
    columns: { answer: new Float32Array(n), series: of("s"), x: of("x"), y: of("y"), low: of("low"), high: of("high") },
    colourings: [["series", "", panel.series.map((s) => s.name)]],
    isKnown: () => false, picture: () => null, select() {},
    rows: (i, by, plane) => plane.rowsOf(points[i]),
  };
}

class Chart extends Plane {
  constructor(figure, data) {
    super(figure, chartCloud(data.panels[0]), 400, "series");
    Object.assign(this, { data, panel: data.panels[0] });
    this.hasX = false;
    this.menu("descriptor", data.panels.map((p, i) => [String(i), p.title]), "0", (i) => this.use(data.panels[Number(i)]));
    this.button("reset", "show all", () => this.reset());
    this.button("save PNG", "save this chart as a picture", () => this.save(`peakwise-${data.name}.png`));
    this.put();
    this.start();
  }

  use(panel) {
    Object.assign(this, { panel, cloud: chartCloud(panel), painted: null, cursor: null });
    this.put();
  }

  pick() {}

  // Series of one category stand side by side.
  places() {
    const { columns, points } = this.cloud, { categories, log } = this.data, at = new Map();
    points.forEach((p) => at.set(p.x, (at.get(p.x) || new Set()).add(p.s)));
    this.many = categories.length ? Math.max(1, ...[...at.values()].map((s) => s.size)) : 1;
    const beside = this.many > 1 ? 0.6 / this.many : 0;
    const x = Float32Array.from(points, (p) => (log ? Math.log10(p.x) : p.x + beside * ([...at.get(p.x)].indexOf(p.s) - (at.get(p.x).size - 1) / 2)));
    return { x, y: columns.y };
  }

  ends() {
    const { columns } = this.cloud, { categories, zero } = this.data;
    const [a, b] = spread([this.ys, columns.low, columns.high]);
    const xs = categories.length ? [-0.5, categories.length - 0.5] : spread([this.xs]);
    return [...xs, zero ? Math.min(0, a) : a, b];
  }

  put() {
    super.put();
    if (this.data.zero && ends([this.ys, this.cloud.columns.low])[0] >= 0) this.all[2] = 0;
    this.seen = this.all.slice();
  }

  labels() {
    const { unit } = this.panel;
    return [this.data.x, this.data.y + (unit ? ` [${unit}]` : "")];
  }

  size() {
    return this.data.categories.length && this.cloud.n > 60 ? 3 : 4.2;
  }

  under(pen) {
    const { columns, points, n } = this.cloud, { categories } = this.data, bytes = this.colours.bytes;
    const ink = (i) => `rgb(${bytes[3 * i]} ${bytes[3 * i + 1]} ${bytes[3 * i + 2]})`;
    const { left, right } = this.place;
    const step = niceStep(this.seen[3] - this.seen[2], 6);
    for (const v of linearTicks(this.seen[2], this.seen[3], 6)) if (step) stroke(pen, this.ink.grid, [[left, this.py(v)], [right, this.py(v)]]);
    for (let i = 0; i < n; i++)
      if (isFinite(columns.low[i]) && isFinite(columns.high[i])) {
        const x = Math.round(this.px(this.xs[i])) + 0.5;
        pen.lineWidth = 1;
        stroke(pen, ink(i), [[x, this.py(columns.low[i])], [x, this.py(columns.high[i])]]);
      }
    if (categories.length) return this.means(pen, ink);
    for (let i = 1; i < n; i++)
      if (points[i].s === points[i - 1].s && isFinite(this.ys[i]) && isFinite(this.ys[i - 1])) stroke(pen, ink(i), [[this.px(this.xs[i - 1]), this.py(this.ys[i - 1])], [this.px(this.xs[i]), this.py(this.ys[i])]]);
  }

  // The mean of a series in a category, where it has several points there.
  means(pen, ink) {
    const sums = new Map();
    this.cloud.points.forEach((p, i) => {
      if (p.y === null) return;
      const key = `${p.s},${p.x}`, sum = sums.get(key) || [0, 0, i];
      sums.set(key, [sum[0] + p.y, sum[1] + 1, sum[2]]);
    });
    for (const [sum, m, i] of sums.values()) {
      if (m < 2) continue;
      const y = Math.round(this.py(sum / m)) + 0.5, wide = Math.max(0.3 * this.to.kx * Math.min(1, 1.4 / this.many), 6);
      pen.beginPath();
      pen.moveTo(this.px(this.xs[i]) - wide, y);
      pen.lineTo(this.px(this.xs[i]) + wide, y);
      pen.strokeStyle = ink(i);
      pen.lineWidth = 2.2;
      pen.stroke();
    }
    pen.lineWidth = 1;
  }

  frame(pen) {
    super.frame(pen);
    const { left, right, bottom } = this.place, { categories, log } = this.data, [title] = this.labels();
    pen.textAlign = "center";
    pen.textBaseline = "top";
    if (categories.length) {
      pen.fillStyle = this.ink.text;
      categories.forEach((name, k) => {
        const x = this.px(k);
        if (x >= left && x <= right) pen.fillText(cut(pen, name, Math.max(this.to.kx - 8, 24)), x, bottom + 7);
      });
    } else {
      const count = Math.max(2, Math.floor((right - left) / 90)), [a, b] = this.seen;
      const ticks = log ? decadeTicks(Math.pow(10, a), Math.pow(10, b), (v) => -this.px(Math.log10(v)), 40) : linearTicks(a, b, count);
      pen.fillStyle = this.ink.soft;
      for (const v of ticks) {
        const x = this.px(log ? Math.log10(v) : v);
        if (x < left - 1 || x > right + 1) continue;
        stroke(pen, this.ink.axis, [[x, bottom], [x, bottom + 4]]);
        pen.fillText(log ? short(v, 3) : tickText(v, niceStep(b - a, count)), x, bottom + 6);
      }
    }
    pen.fillStyle = this.ink.soft;
    pen.fillText(title, (left + right) / 2, bottom + 22);
  }

  rowsOf({ s, x, y, low, high }) {
    const { categories } = this.data, unit = this.panel.unit ? " " + this.panel.unit : "";
    const rows = [["", this.panel.series[s].name], categories.length ? ["", categories[x]] : [this.data.x || "x", short(x, 4)]];
    rows.push([this.data.y || "y", short(y, 4) + unit]);
    if (low !== null && high !== null) rows.push(["from, to", `${short(low, 4)} to ${short(high, 4)}`]);
    return rows;
  }
}
