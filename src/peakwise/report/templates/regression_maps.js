// Figures of descriptors: answers against truth, one descriptor against anything, the pattern of one scan.

// Intervals as thin lines, as long as they are few enough to be seen.
function whiskers(plane, pen, low, high) {
  const { n } = plane.cloud;
  if (n > FEW) return;
  pen.globalAlpha = n > 400 ? 0.25 : 0.5;
  for (let i = 0; i < n; i++) {
    if (!isFinite(low[i]) || !isFinite(high[i]) || !isFinite(plane.xs[i])) continue;
    const x = Math.round(plane.px(plane.xs[i])) + 0.5;
    stroke(pen, plane.ink.observed, [[x, plane.py(low[i])], [x, plane.py(high[i])]]);
  }
  pen.globalAlpha = 1;
}

// What an axis has to show: the points, and of the intervals what does not dwarf them.
function reach(values, low, high) {
  const [a, b] = ends([values]);
  if (!(b >= a)) return spread([values]);
  const room = Math.max(b - a, 1e-12), [c, d] = ends([low, high]);
  const made = [Math.max(isFinite(c) ? Math.min(a, c) : a, a - 0.6 * room), Math.min(isFinite(d) ? Math.max(b, d) : b, b + 0.6 * room)];
  return made[1] > made[0] ? made : [made[0] - 0.5, made[1] + 0.5];
}

const numbered = (n) => Float32Array.from({ length: n }, (_, i) => i + 1);

class Small extends Plane {
  constructor(figure, cloud, target) {
    super(figure, cloud, 300, "answer");
    this.target = target;
    this.hasTruth = cloud.data.targets[target].hasTruth;
    this.put();
    this.start();
  }

  places() {
    const { columns, n } = this.cloud, k = this.target;
    return { x: this.hasTruth ? columns[`truth${k}`] : numbered(n), y: columns[`values${k}`] };
  }

  // Both axes of a parity plot show the same.
  ends() {
    const { columns, data } = this.cloud, k = this.target;
    const y = reach(this.ys, columns[`low${k}`], columns[`high${k}`]);
    if (!this.hasTruth) return [0.5, data.n + 0.5, ...y];
    const [a, b] = ends([this.xs, this.ys]), both = [Math.min(a, b), Math.max(a, b)];
    return [...both, Math.min(y[0], both[0]), Math.max(y[1], both[1])];
  }

  legend() {
    return 0;
  }

  labels() {
    return [this.hasTruth ? "true" : "scan", this.cloud.titled(this.target)];
  }

  size() {
    return this.cloud.n > 300 ? 2 : this.cloud.n > 60 ? 2.6 : 3.6;
  }

  under(pen) {
    const { columns } = this.cloud, k = this.target;
    whiskers(this, pen, columns[`low${k}`], columns[`high${k}`]);
    if (this.hasTruth) parity(this, pen);
  }
}

// The line on which answers are the truth.
function parity(plane, pen) {
  const low = Math.max(plane.seen[0], plane.seen[2]), high = Math.min(plane.seen[1], plane.seen[3]);
  if (high > low) stroke(pen, plane.ink.text, [[plane.px(low), plane.py(low)], [plane.px(high), plane.py(high)]]);
}

class Explore extends Plane {
  constructor(figure, cloud) {
    super(figure, cloud, 480, "answer");
    const { targets, more } = cloud.data;
    this.target = 0;
    this.what = "value";
    const options = [["number", "number of the scan"]];
    if (targets.some((t) => t.hasTruth)) options.unshift(["truth", "true value"]);
    targets.forEach((t, k) => {
      options.push([`values${k}`, t.name]);
      if (t.hasTruth) options.push([`truth${k}`, `${t.name}, true`]);
    });
    more.forEach((name, k) => options.push([`column${k}`, name]));
    this.names = new Map(options);
    this.against = targets[0].hasTruth ? "truth" : more.length ? "column0" : "number";
    this.menu("descriptor", targets.map((t, k) => [String(k), t.name]), "0", (k) => ((this.target = Number(k)), this.put()));
    this.menu("against", options, this.against, (key) => ((this.against = key), this.put()));
    if (targets.some((t) => t.hasTruth))
      this.choice("what", ["value", "residual"], (v) => v, (v) => ((this.what = v), this.put()), "Vertical axis", "value");
    this.common();
    this.put();
    this.start();
  }

  get hasTruth() {
    return this.cloud.data.targets[this.target].hasTruth;
  }

  places() {
    const { columns, n } = this.cloud, k = this.target, truth = columns[`truth${k}`];
    const x = this.against === "number" || (this.against === "truth" && !this.hasTruth) ? numbered(n) : columns[this.against === "truth" ? `truth${k}` : this.against];
    const off = (key) => columns[key + k].map((v, i) => v - truth[i]);
    const shown = this.what === "residual" && this.hasTruth;
    [this.low, this.high] = shown ? [off("low"), off("high")] : [columns[`low${k}`], columns[`high${k}`]];
    return { x, y: shown ? off("values") : columns[`values${k}`] };
  }

  ends() {
    return [...spread([this.xs]), ...reach(this.ys, this.low, this.high)];
  }

  labels() {
    const title = this.cloud.titled(this.target), isOff = this.what === "residual" && this.hasTruth;
    return [this.names.get(this.against) + (this.against === "truth" ? ` of ${title}` : ""), isOff ? `answer − truth, ${title}` : title];
  }

  under(pen) {
    whiskers(this, pen, this.low, this.high);
    const { left, right } = this.place, { range } = this.cloud.data.targets[this.target];
    const isOff = this.what === "residual" && this.hasTruth;
    if (isOff) stroke(pen, this.ink.text, [[left, this.py(0)], [right, this.py(0)]]);
    else if (this.against === "truth" && this.hasTruth) parity(this, pen);
    if (!range || isOff) return;
    pen.setLineDash([5, 5]);
    for (const end of range) stroke(pen, this.ink.axis, [[left, this.py(end)], [right, this.py(end)]]);
    pen.setLineDash([]);
  }

  // Truths as rings, where they are not on an axis.
  above(pen) {
    const { columns, n } = this.cloud;
    if (!this.hasTruth || this.what === "residual" || this.against === "truth" || n > FEW) return;
    const truth = columns[`truth${this.target}`];
    pen.strokeStyle = this.ink.alert;
    pen.lineWidth = 1.2;
    for (let i = 0; i < n; i++) {
      if (!isFinite(truth[i]) || !isFinite(this.xs[i])) continue;
      pen.beginPath();
      pen.arc(this.px(this.xs[i]), this.py(truth[i]), this.size(), 0, 7);
      pen.stroke();
    }
  }
}

// The pattern of one scan along its axis.
class PatternFigure extends Panel {
  constructor(figure, cloud, scan) {
    super(figure, 300, figure.dataset.label + " Arrow keys move the cursor, 0 shows all.");
    const { hover } = cloud, at = hover.row.get(scan);
    this.data = { kind: hover.kind, unit: hover.unit, wavelength: hover.wavelength };
    this.positions = hover.x;
    this.values = hover.patterns.subarray(at * hover.points, (at + 1) * hover.points);
    this.cursor = null;
    this.useAxis(this.data.kind);
    this.choice("axis", axesOf(this.data.kind, this.data.wavelength), (a) => (AXES[a] ? AXES[a].symbol : a), (a) => this.useAxis(a), "Axis", this.data.kind);
    this.button("reset", "show the whole pattern", () => this.reset());
    this.button("save PNG", "save this view as a picture", () => this.save("peakwise-scan.png"));
    this.listenAlong();
    this.start();
  }

  point(i) {
    this.cursor = i;
    this.drawOver();
  }

  draw() {
    const { pen, width, height } = this.blank();
    if (!pen) return;
    const bottom = height - 40, top = 12;
    this.place = { left: 66, right: width - 14, top, bottom };
    const { left, right } = this.place, [first, last] = this.window();
    let [low, high] = ends([this.values.subarray(first, last + 1)]);
    low = Math.min(low, 0);
    if (!(high > low)) high = low + 1;
    this.py = (v) => bottom - 4 - ((v - low) / (1.05 * (high - low))) * (bottom - 4 - top);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const v of linearTicks(low, high, 5)) {
      const y = Math.round(this.py(v)) + 0.5;
      stroke(pen, this.ink.grid, [[left, y], [right, y]]);
      pen.fillStyle = this.ink.soft;
      pen.fillText(short(v), left - 7, y);
    }
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, right - left, bottom);
    pen.clip();
    this.curve(pen, this.values, this.py, this.ink.text, 1.2);
    pen.restore();
    this.ruler(pen, bottom, true);
    this.drawOver();
  }

  drawOver() {
    if (!this.place) return;
    const pen = fit(this.over, this.box.clientWidth, this.box.clientHeight);
    this.tip.hidden = true;
    if (this.drag) {
      const { from, to } = this.drag;
      pen.fillStyle = this.ink.select;
      pen.fillRect(Math.min(from[0], to[0]), this.place.top, Math.abs(to[0] - from[0]), this.place.bottom - this.place.top);
      return;
    }
    if (this.cursor === null) return;
    const x = Math.round(this.px(this.x[this.cursor])) + 0.5;
    if (x < this.place.left || x > this.place.right) return;
    stroke(pen, this.ink.soft, [[x, this.place.top], [x, this.place.bottom]]);
    this.told = this.showTip([...this.positionText(this.cursor), ["intensity", short(this.values[this.cursor], 4)]], x, 60);
  }
}
