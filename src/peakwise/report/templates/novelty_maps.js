// The figures of what is new: one scan over what is known, the plane, the library, scores, mixing ratios.
class Overlay extends Changes {
  draw() {
    this.room = this.data.peaks.length ? 0.25 : 0.06; // for the names of peaks
    super.draw();
  }

  inkOf(k) {
    return k ? this.ink.text : this.ink.phases[0];
  }

  peaks(pen) {
    super.peaks(pen);
    // At the scan itself each peak has its place and d, as far as the texts do not touch.
    let end = -Infinity;
    pen.textBaseline = "bottom";
    pen.textAlign = "left";
    const seen = this.data.peaks.map((peak, k) => ({ ...peak, k, x: this.px(convert(peak.at, this.data.kind, this.axis, this.data.wavelength)) }));
    for (const { at, d, k, x } of seen.sort((a, b) => a.x - b.x)) {
      if (x < this.place.left || x > this.place.right) continue;
      const y = Math.max(this.py(this.columns.behind[this.nearest(this.unpx(x))]) - 6, 34);
      pen.fillStyle = this.ink.alert;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x - 4, y - 7);
      pen.lineTo(x + 4, y - 7);
      pen.fill();
      const text = `${k + 1}: ${short(at, 5)}${d ? `, d ${short(d, 4)} Å` : ""}`, wide = pen.measureText(text).width;
      const from = Math.min(x - 4, this.place.right - wide - 2);
      if (from < end) continue;
      pen.fillText(text, from, Math.max(y - 8, 24));
      end = from + wide + 10;
    }
  }
}

class Latent extends Plane {
  constructor(figure, cloud) {
    super(figure, cloud, 520, cloud.data.groups.length ? "group" : "answer");
    this.second = "plane";
    const words = { plane: "plane", score: "against score" };
    this.choice("second", ["plane", "score"], (v) => words[v], (v) => ((this.second = v), this.put()), "Vertical axis", "plane");
    this.common();
    this.put();
    this.start();
  }

  places() {
    const { columns } = this.cloud;
    return { x: columns.x, y: this.second === "plane" ? columns.y : columns.score };
  }

  labels() {
    const { axes } = this.cloud.data;
    return [axes[0], this.second === "plane" ? axes[1] : "score"];
  }

  under(pen) {
    const { regions } = this.cloud;
    if (!regions || this.second !== "plane") return;
    const { width, height, labels, colours, x, y } = regions;
    if (this.tinted !== this.ink.paper) {
      this.tinted = this.ink.paper;
      this.shade = make("canvas");
      [this.shade.width, this.shade.height] = [width, height];
      const brush = this.shade.getContext("2d"), image = brush.createImageData(width, height);
      const parts = this.ink.phases.map(rgbOf), rest = rgbOf(this.ink.observed);
      for (let row = 0; row < height; row++)
        for (let k = 0; k < width; k++) {
          const label = labels[(height - 1 - row) * width + k];
          if (!(label >= 0)) continue;
          image.data.set([...(parts[colours[label] === undefined ? label : colours[label]] || rest), 46], 4 * (row * width + k));
        }
      brush.putImageData(image, 0, 0);
    }
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.shade, this.px(x[0]), this.py(y[1]), this.px(x[1]) - this.px(x[0]), this.py(y[0]) - this.py(y[1]));
    this.borders(pen);
  }

  // Lines where the label of the grid changes.
  borders(pen) {
    const { width, height, labels, x, y } = this.cloud.regions;
    const [dx, dy] = [(x[1] - x[0]) / width, (y[1] - y[0]) / height];
    pen.beginPath();
    for (let row = 0; row < height; row++)
      for (let k = 0; k < width; k++) {
        const here = labels[row * width + k], [left, low] = [this.px(x[0] + (k + 1) * dx), this.py(y[0] + row * dy)];
        const top = this.py(y[0] + (row + 1) * dy);
        if (k + 1 < width && labels[row * width + k + 1] !== here) pen.moveTo(left, low), pen.lineTo(left, top);
        if (row + 1 < height && labels[(row + 1) * width + k] !== here) pen.moveTo(this.px(x[0] + k * dx), top), pen.lineTo(left, top);
      }
    pen.strokeStyle = this.ink.axis;
    pen.lineWidth = 1;
    pen.stroke();
  }

  above(pen) {
    if (this.second === "score") this.limitLine(pen);
    else if (this.cloud.regions) this.names(pen);
  }

  // The name of a region at its middle.
  names(pen) {
    const { width, height, labels, x, y, names } = this.cloud.regions, at = names.map(() => [0, 0, 0]);
    for (let i = 0; i < labels.length; i++)
      if (at[labels[i]]) (at[labels[i]][0] += i % width), (at[labels[i]][1] += (i / width) | 0), at[labels[i]][2]++;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.font = "600 12px system-ui, sans-serif";
    pen.lineWidth = 3;
    pen.strokeStyle = this.ink.paper;
    pen.fillStyle = this.ink.text;
    at.forEach(([sx, sy, count], k) => {
      if (!count) return;
      const px = this.px(x[0] + ((sx / count + 0.5) * (x[1] - x[0])) / width), py = this.py(y[0] + ((sy / count + 0.5) * (y[1] - y[0])) / height);
      pen.strokeText(names[k], px, py);
      pen.fillText(names[k], px, py);
    });
    pen.font = "12px system-ui, sans-serif";
  }
}

// Over places in the sample, or over three of its elements.
class Library extends Plane {
  constructor(figure, cloud) {
    super(figure, cloud, 560, "score");
    const { elements, hasPlaces } = cloud.data, many = elements.length;
    this.isSquare = true;
    this.choices = hasPlaces ? [["places", "place in the sample"]] : [];
    for (let a = 0; a < many; a++) for (let b = a + 1; b < many; b++) for (let c = b + 1; c < many; c++)
      if (this.choices.length < 60) this.choices.push([`${a},${b},${c}`, [a, b, c].map((k) => elements[k]).join("-")]);
    this.over_ = this.choices[0][0];
    this.menu("over", this.choices, this.over_, (v) => ((this.over_ = v), this.put()));
    this.common();
    this.put();
    this.start();
  }

  get corners() {
    return this.over_ === "places" ? null : this.over_.split(",").map(Number);
  }

  places() {
    const { columns, total, n } = this.cloud;
    if (!this.corners) return { x: columns.px, y: columns.py };
    const [a, b, c] = this.corners.map((k) => columns[`element${k}`]);
    const x = new Float32Array(total).fill(NaN), y = new Float32Array(total).fill(NaN);
    for (let i = 0; i < n; i++) {
      const sum = a[i] + b[i] + c[i];
      if (!(sum > 0)) continue;
      x[i] = (b[i] + c[i] / 2) / sum;
      y[i] = ((c[i] / sum) * Math.sqrt(3)) / 2;
    }
    return { x, y };
  }

  // The whole triangle where the points fill it; else the part where they are.
  ends() {
    const [x0, x1] = spread([this.xs]), [y0, y1] = spread([this.ys]), across = (x1 - x0) / (y1 - y0);
    this.extent = [x0, x1, y0, y1];
    this.isSquare = Boolean(this.corners) || (across < 8 && across > 0.125); // a line of places fills the figure
    return this.corners && x1 - x0 > 0.4 ? [0, 1, -0.04, 0.9] : [x0, x1, y0, y1];
  }

  labels() {
    const unit = this.cloud.data.unit ? ` [${this.cloud.data.unit}]` : "";
    return [`x${unit}`, `y${unit}`];
  }

  size() {
    const { left, right, top, bottom } = this.place, [a, b, c, d] = this.extent, [x0, x1, y0, y1] = this.seen;
    const room = ((right - left) * (bottom - top) * (b - a) * (d - c)) / ((x1 - x0) * (y1 - y0) || 1);
    return Math.min(Math.max(0.3 * Math.sqrt(room / Math.max(this.cloud.n, 1)), 2.5), 9);
  }

  under(pen) {
    if (!this.corners) return;
    const high = Math.sqrt(3) / 2, to = ([b, c]) => [this.px(b + c / 2), this.py(c * high)];
    for (let k = 1; k < 10; k++) {
      const t = k / 10;
      for (const line of [[[0, t], [1 - t, t]], [[t, 0], [t, 1 - t]], [[0, t], [t, 0]]]) stroke(pen, this.ink.grid, line.map(to));
    }
    stroke(pen, this.ink.axis, [[0, 0], [1, 0], [0, 1], [0, 0]].map(to));
  }

  frame(pen) {
    if (!this.corners) return super.frame(pen);
    const names = this.corners.map((k) => this.cloud.data.elements[k]), high = Math.sqrt(3) / 2;
    const { left, right, top, bottom } = this.place;
    const inside = (x, y) => x > left - 30 && x < right + 5 && y > top - 4 && y < bottom + 20;
    pen.fillStyle = this.ink.soft;
    // Numbers on each side, where it is in view: of the second along the bottom, the third on the right, the first on the left.
    for (let k = 1; k < 10; k++) {
      const t = k / 10, text = `${10 * k}`;
      for (const [x, y, side, base, dx, dy] of [[t, 0, "center", "top", 0, 5], [1 - t / 2, t * high, "left", "middle", 6, 0], [(1 - t) / 2, (1 - t) * high, "right", "middle", -6, 0]]) {
        if (!inside(this.px(x), this.py(y))) continue;
        [pen.textAlign, pen.textBaseline] = [side, base];
        pen.fillText(text, this.px(x) + dx, this.py(y) + dy);
      }
    }
    pen.font = "600 13px system-ui, sans-serif";
    pen.fillStyle = this.ink.text;
    for (const [k, x, y, side, dx, dy] of [[0, 0, 0, "right", -8, 8], [1, 1, 0, "left", 8, 8], [2, 0.5, high, "center", 0, -10]]) {
      if (!inside(this.px(x), this.py(y))) continue;
      [pen.textAlign, pen.textBaseline] = [side, "middle"];
      pen.fillText(names[k], this.px(x) + dx, this.py(y) + dy);
    }
    pen.font = "12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.fillStyle = this.ink.soft;
    pen.fillText(`${names[1]} rises to the right, ${names[2]} upwards, ${names[0]} to the lower left [at. %]`, (left + right) / 2, bottom + 22);
  }
}

// Scores by phase: known scans to the left of each middle, asked ones to the right.
class Violin extends Plane {
  constructor(figure, cloud) {
    super(figure, cloud, 400, "answer");
    this.hasX = false;
    this.common();
    this.put();
    this.start();
  }

  places() {
    const { total, n, columns, data } = this.cloud, most = 11;
    const many = data.groups.length, names = data.groups.slice(0, most);
    this.classes = many ? (many > most ? [...names, `${many - most} others`] : names) : ["all scans"];
    const x = new Float32Array(total), last = this.classes.length - 1;
    this.members = this.classes.map(() => [[], []]);
    for (let i = 0; i < total; i++) {
      const group = columns.group[i], k = many ? (group >= 0 ? Math.min(group, last) : last) : 0;
      const side = i < n ? 1 : -1, spot = (i * 0.618033988) % 1;
      x[i] = k + side * (0.04 + 0.3 * spot * spot);
      if (isFinite(columns.score[i])) this.members[k][i < n ? 1 : 0].push(columns.score[i]);
    }
    this.shapes = null;
    return { x, y: columns.score };
  }

  ends() {
    const [y0, y1] = spread([this.ys]), { threshold } = this.cloud.data;
    const limits = threshold === null ? [y0, y1] : [Math.min(y0, threshold), Math.max(y1, threshold)];
    return [-0.5, this.classes.length - 0.5, limits[0], limits[1] + 0.04 * (limits[1] - limits[0])];
  }

  labels() {
    return ["", "score"];
  }

  size() {
    return this.cloud.n > 1000 ? 2 : 3.4;
  }

  under(pen) {
    if (!this.shapes) this.shapes = this.members.map((pair) => pair.map(outline));
    this.shapes.forEach((pair, k) => pair.forEach((shape, right) => {
      if (!shape) return;
      pen.beginPath();
      pen.moveTo(this.px(k), this.py(shape[0][0]));
      for (const [y, width] of shape) pen.lineTo(this.px(k + (right ? 0.42 : -0.42) * width), this.py(y));
      pen.lineTo(this.px(k), this.py(shape[shape.length - 1][0]));
      pen.closePath();
      pen.fillStyle = pen.strokeStyle = right ? this.ink.phases[0] : this.ink.observed;
      pen.globalAlpha = 0.22;
      pen.fill();
      pen.globalAlpha = 1;
      pen.stroke();
    }));
  }

  above(pen) {
    this.limitLine(pen);
  }

  // What stands below the name of a class.
  below(known, asked, room) {
    return room > 110 ? `${known} known, ${asked} asked` : `${known} | ${asked}`;
  }

  frame(pen) {
    super.frame(pen);
    const { bottom, left, right } = this.place, room = this.to.kx;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.fillStyle = this.ink.text;
    this.classes.forEach((name, k) => {
      const x = this.px(k);
      if (x < left || x > right) return;
      pen.fillText(cut(pen, name, Math.max(room - 6, 20)), x, bottom + 6);
      const [known, asked] = this.members[k].map((m) => m.length);
      pen.fillStyle = this.ink.soft;
      pen.fillText(cut(pen, this.below(known, asked, room), Math.max(room - 4, 20)), x, bottom + 22);
      pen.fillStyle = this.ink.text;
    });
  }
}

// Half of a violin: the smoothed density of numbers, highest 1. Fewer than five are points alone.
function outline(values) {
  if (values.length < 5) return null;
  const some = values.length > 4000 ? values.filter((_, i) => i % Math.ceil(values.length / 4000) === 0) : values;
  const sorted = Float64Array.from(some).sort(), m = sorted.length;
  const mean = sorted.reduce((s, v) => s + v, 0) / m, sd = Math.sqrt(sorted.reduce((s, v) => s + (v - mean) ** 2, 0) / m);
  const quarter = (sorted[Math.floor(0.75 * (m - 1))] - sorted[Math.floor(0.25 * (m - 1))]) / 1.34;
  // Silverman's rule of thumb.
  const band = 0.9 * (Math.min(sd, quarter || sd) || 1e-9) * Math.pow(m, -0.2);
  const [low, high] = [sorted[0], sorted[m - 1]], steps = 80, shape = [];
  let most = 0;
  for (let k = 0; k <= steps; k++) {
    const at = low + ((high - low) * k) / steps;
    let sum = 0;
    for (const v of sorted) sum += Math.exp(-0.5 * ((at - v) / band) ** 2);
    shape.push([at, sum]);
    most = Math.max(most, sum);
  }
  return shape.map(([y, d]) => [y, d / (most || 1)]);
}

class Mixing extends Plane {
  constructor(figure, cloud) {
    super(figure, cloud, 400, "answer");
    const { columns } = cloud, hasError = columns.error && columns.error.some((v) => isFinite(v));
    this.second = hasError ? "error" : "score";
    this.choice("second", hasError ? ["error", "score"] : ["score"], (v) => v, (v) => ((this.second = v), this.put()), "Vertical axis", this.second);
    this.common();
    this.put();
    this.start();
  }

  places() {
    const { columns } = this.cloud;
    return { x: columns.mixing, y: columns[this.second] };
  }

  ends() {
    this.line = this.means();
    const [y0, y1] = spread([this.ys]);
    return [0, 1, y0, y1];
  }

  labels() {
    return ["mixing ratio", this.second === "error" ? "error of the reconstruction" : "score"];
  }

  // The mean at each ratio; of many different ratios, in fifty steps.
  means() {
    const steps = 50, sums = Array.from({ length: steps + 1 }, () => [0, 0, 0]);
    for (let i = 0; i < this.cloud.n; i++) {
      const sum = sums[Math.round(this.xs[i] * steps)];
      if (sum && isFinite(this.ys[i])) (sum[0] += this.xs[i]), (sum[1] += this.ys[i]), sum[2]++;
    }
    return sums.filter(([, , m]) => m).map(([x, y, m]) => [x / m, y / m]);
  }

  above(pen) {
    stroke(pen, this.ink.text, this.line.map(([x, y]) => [this.px(x), this.py(y)]));
    if (this.second === "score") this.limitLine(pen);
  }
}
