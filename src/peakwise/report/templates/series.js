// The series: a picture of all patterns, and beside it on the same height states, probabilities, scores, the variable.
const TOP = 30, FOOT = 40, STATE = 26, SIDE = 84, SPACE = 10;

class Series extends Panel {
  constructor(figure, data, columns, positions, image) {
    super(figure, 560, figure.dataset.label + " Arrow keys move the cursor, plus and minus zoom, 0 shows all.");
    Object.assign(this, { data, columns, positions, image });
    this.nRows = data.rows.length;
    this.scale = "sqrt";
    this.look = "map";
    this.what = "intensity";
    this.cursor = null;
    this.kept = null;
    this.useAxis(data.kind);
    this.allRows = [-0.5, data.n - 0.5];
    this.rowRange = this.allRows.slice();
    this.choice("look", ["map", "waterfall"], (v) => v, (v) => (this.look = v), "How it is drawn", "map");
    this.choice("what", ["intensity", "change"], (v) => ({ intensity: "intensity", change: "change from the mean" })[v], (v) => (this.what = v), "What is drawn", "intensity");
    this.choice("scale", ["linear", "sqrt", "log"], (s) => SCALES[s].label, (s) => (this.scale = s), "Intensity scale", "sqrt");
    this.choice("axis", axesOf(data.kind, data.wavelength), (a) => (AXES[a] ? AXES[a].symbol : a), (a) => this.useAxis(a), "Axis", data.kind);
    this.button("reset", "show the whole series", () => this.reset());
    this.button("save PNG", "save this view as a picture", () => this.save("peakwise-series.png"));
    this.under = make("canvas", "under");
    const below = make("div", "box below");
    below.append(this.under);
    this.box.after(below);
    this.below = below;
    below.after(make("p", "hint", "Drag to zoom, double-click for all. The pattern under the pointer is drawn below; click to keep one for comparison. Keys: ↑ ↓ pattern, ← → position, 0 all."));
    this.sides = [];
    if (columns.probability) this.sides.push({ title: "probability", columns: [columns.probability], range: [0, 1], wide: SIDE });
    const scores = ["score0", "score1"].filter((s) => columns[s]);
    if (scores.length) this.sides.push({ title: "PCA scores", columns: scores.map((s) => columns[s]), wide: SIDE + 32, zero: true });
    if (columns.value) this.sides.push({ title: data.variable || "value", columns: [columns.value], wide: SIDE });
    for (const side of this.sides) {
      if (!side.range) side.ends = ends(side.columns);
      side.range = side.range || spread(side.columns);
    }
    this.listen();
    this.start();
  }

  reset() {
    this.range = this.full.slice();
    this.rowRange = this.allRows.slice();
    this.draw();
  }

  layout(pen) {
    const width = this.box.clientWidth;
    const narrow = width < 700;
    pen.font = "12px system-ui, sans-serif";
    const sides = narrow ? [] : this.sides;
    const taken = sides.reduce((sum, s) => sum + s.wide + SPACE, 0);
    this.digits = Math.ceil(pen.measureText(String(this.data.n)).width);
    const left = this.digits + (this.columns.value && this.data.isOrdered ? 70 : 30);
    const right = width - 8 - taken - STATE - SPACE;
    let x = right + SPACE + STATE;
    for (const side of sides) {
      side.left = x + SPACE;
      side.right = side.left + side.wide;
      x = side.right;
    }
    return { left, right, top: TOP, bottom: this.box.clientHeight - FOOT, state: right + SPACE, sides, end: x, width };
  }

  // First pattern at the bottom: a sample that is heated goes up.
  py(row) {
    const { top, bottom } = this.place;
    return bottom - ((row - this.rowRange[0]) / (this.rowRange[1] - this.rowRange[0])) * (bottom - top);
  }

  unpy(y) {
    const { top, bottom } = this.place;
    return this.rowRange[0] + ((bottom - y) / (bottom - top)) * (this.rowRange[1] - this.rowRange[0]);
  }

  rowAt(place) {
    const rows = this.data.rows;
    let low = 0, high = rows.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (rows[middle] < place) low = middle;
      else high = middle;
    }
    return Math.abs(rows[low] - place) <= Math.abs(rows[high] - place) ? low : high;
  }

  listedAt(place) {
    const at = this.columns.at;
    let low = 0, high = at.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (at[middle] < place) low = middle;
      else high = middle;
    }
    return Math.abs(at[low] - place) <= Math.abs(at[high] - place) ? low : high;
  }

  row(k) {
    const n = this.positions.length;
    return this.image.subarray(k * n, (k + 1) * n);
  }

  // What is drawn, on the scale that is chosen; made once for each choice.
  shown() {
    const key = this.what + this.scale;
    if (this.made && this.made.key === key) return this.made;
    const { image, nRows } = this;
    const n = this.positions.length;
    const least = Math.max(quantile(image.filter((v) => v > 0), 0.02), 1e-30);
    const up = this.scale === "log" ? (v) => Math.log10(v > least ? v : least) : SCALES[this.scale].up;
    const values = new Float32Array(image.length);
    for (let i = 0; i < image.length; i++) values[i] = isFinite(image[i]) ? up(image[i]) : NaN;
    let low, high;
    if (this.what === "change") {
      const mean = new Float64Array(n), many = new Float64Array(n);
      for (let k = 0; k < nRows; k++) for (let i = 0; i < n; i++) if (isFinite(values[k * n + i])) (mean[i] += values[k * n + i]), many[i]++;
      for (let k = 0; k < nRows; k++) for (let i = 0; i < n; i++) values[k * n + i] -= mean[i] / many[i];
      high = quantile(values.map(Math.abs), 0.995) || 1;
      low = -high;
    } else {
      low = quantile(values, 0.02);
      high = quantile(values, 0.998);
      if (!(high > low)) high = low + 1;
    }
    this.made = { key, values, low, high };
    return this.made;
  }

  draw() {
    const width = this.box.clientWidth, height = this.box.clientHeight;
    if (!width || !height) return;
    const pen = fit(this.canvas, width, height);
    this.ink = inks(this.box);
    this.place = this.layout(pen);
    pen.fillStyle = this.ink.paper;
    pen.fillRect(0, 0, width, height);
    const { left, right, top, bottom } = this.place;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, right - left, bottom - top);
    pen.clip();
    if (this.look === "map") this.picture(pen);
    else this.waterfall(pen);
    pen.restore();
    this.heads(pen);
    this.stateStrip(pen);
    for (const side of this.place.sides) this.side(pen, side);
    this.marks(pen);
    this.numbers(pen);
    this.ruler(pen, bottom, true);
    this.drawOver();
  }

  picture(pen) {
    const { left, right, top, bottom } = this.place;
    const wide = Math.max(Math.round(right - left), 1), high = Math.max(Math.round(bottom - top), 1);
    const { values, low, high: most } = this.shown();
    const colours = TABLES[this.what === "change" ? "change" : "light"];
    const n = this.positions.length;
    const picture = new ImageData(wide, high);
    // The points of each column: all of them where several fall on one pixel, so that no narrow peak is lost.
    const from = new Int32Array(wide), to = new Int32Array(wide);
    for (let p = 0; p < wide; p++) {
      const a = this.nearest(this.unpx(left + p)), b = this.nearest(this.unpx(left + p + 1));
      from[p] = Math.min(a, b);
      to[p] = Math.max(Math.max(a, b) - 1, from[p]);
    }
    let last = -1, line = null;
    for (let y = 0; y < high; y++) {
      const k = this.rowAt(this.unpy(top + y + 0.5));
      if (k !== last) {
        last = k;
        line = new Uint8Array(4 * wide);
        for (let p = 0; p < wide; p++) {
          let value = NaN;
          for (let i = from[p]; i <= to[p]; i++) {
            const v = values[k * n + i];
            if (!isFinite(v)) continue;
            if (!(Math.abs(v) <= Math.abs(value)) || (this.what !== "change" && v > value)) value = v;
          }
          if (!isFinite(value)) continue;
          const c = Math.max(0, Math.min(255, Math.round((255 * (value - low)) / (most - low))));
          line.set([colours[3 * c], colours[3 * c + 1], colours[3 * c + 2], 255], 4 * p);
        }
      }
      picture.data.set(line, 4 * wide * y);
    }
    const canvas = make("canvas");
    canvas.width = wide;
    canvas.height = high;
    canvas.getContext("2d").putImageData(picture, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(canvas, left, top, right - left, bottom - top);
  }

  waterfall(pen) {
    const { top, bottom } = this.place;
    const { values, low, high } = this.shown();
    const n = this.positions.length;
    const [first, last] = [this.rowAt(Math.max(this.rowRange[0], 0)), this.rowAt(Math.min(this.rowRange[1], this.data.n - 1))];
    const step = Math.max(1, Math.ceil((last - first + 1) / Math.floor((bottom - top) / 13)));
    const tall = Math.min(Math.max(90, (2.5 * step * (bottom - top)) / (last - first + 1)), (bottom - top) / 3);
    // From the back to the front, so that the earlier pattern covers the later one behind it.
    for (let k = last; k >= first; k--) {
      if ((k - first) % step) continue;
      const base = this.py(this.data.rows[k]);
      const state = this.columns.state[this.listedAt(this.data.rows[k])];
      const zero = this.what === "change" ? 0 : low;
      this.curve(pen, values.subarray(k * n, (k + 1) * n), (v) => base - ((v - zero) / (high - zero)) * tall, this.colour(state), 1.1);
    }
  }

  colour(state) {
    return state < 0 ? this.ink.observed : this.ink.phases[state % 8];
  }

  heads(pen) {
    const { left, state, sides } = this.place;
    pen.textBaseline = "bottom";
    pen.textAlign = "left";
    pen.fillStyle = this.ink.text;
    const unit = this.data.intensity ? ` [${this.data.intensity}]` : "";
    const scale = { sqrt: "√ scale", log: "log scale", linear: "linear scale" }[this.scale];
    const said = this.what === "change" ? "change from the mean of all: blue less, orange more" : `intensity${unit}`;
    pen.fillText(`${said}, ${scale}`, left, TOP - 8);
    pen.textAlign = "center";
    pen.fillText(this.data.isOrdered ? "state" : "group", state + STATE / 2, TOP - 8);
    for (const side of sides) {
      const named = side.title === "PCA scores" && side.columns.length > 1;
      const unitOf = side.columns[0] === this.columns.value && this.data.variableUnit ? ` [${this.data.variableUnit}]` : "";
      if (!named) {
        // The unit stands at the left edge as well.
        const full = side.title + unitOf, room = side.wide + 8;
        const text = pen.measureText(full).width > room ? side.title : full;
        pen.fillText(cut(pen, text, room), (side.left + side.right) / 2, TOP - 8);
        continue;
      }
      side.columns.forEach((_, k) => {
        const share = this.data.explained[k];
        pen.fillStyle = k ? this.ink.soft : this.ink.text;
        pen.fillText(`PC${k + 1}${share !== undefined && share !== null ? ` ${Math.round(100 * share)}%` : ""}`, side.left + (side.wide * (2 * k + 1)) / 4, TOP - 8);
      });
      pen.fillStyle = this.ink.text;
    }
  }

  // Runs of one state; the number stands inside where there is room.
  stateStrip(pen) {
    const { state, top, bottom } = this.place;
    const { at, state: states } = this.columns;
    pen.save();
    pen.beginPath();
    pen.rect(state, top, STATE, bottom - top);
    pen.clip();
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let i = 0; i < at.length; ) {
      let j = i;
      while (j + 1 < at.length && states[j + 1] === states[i]) j++;
      const low = i ? (at[i] + at[i - 1]) / 2 : at[i] - 0.5, high = j + 1 < at.length ? (at[j] + at[j + 1]) / 2 : at[j] + 0.5;
      const [y0, y1] = [this.py(high), this.py(low)];
      pen.fillStyle = this.colour(states[i]);
      pen.fillRect(state, y0, STATE, Math.max(y1 - y0, 0.5));
      if (Math.min(y1, bottom) - Math.max(y0, top) > 16) {
        pen.fillStyle = "#fff";
        pen.font = "700 13px system-ui, sans-serif";
        pen.fillText(states[i] < 0 ? "–" : String(states[i]), state + STATE / 2, (Math.max(y0, top) + Math.min(y1, bottom)) / 2);
        pen.font = "12px system-ui, sans-serif";
      }
      i = j + 1;
    }
    pen.restore();
  }

  side(pen, side) {
    const { top, bottom } = this.place;
    const { at, state } = this.columns;
    const [low, high] = side.range;
    const x = (v) => side.left + ((v - low) / (high - low)) * (side.right - side.left);
    pen.fillStyle = this.ink.band;
    pen.fillRect(side.left, top, side.wide, bottom - top);
    if (side.zero && low < 0 && high > 0) stroke(pen, this.ink.axis, [[Math.round(x(0)) + 0.5, top], [Math.round(x(0)) + 0.5, bottom]]);
    pen.save();
    pen.beginPath();
    pen.rect(side.left - 3, top, side.wide + 6, bottom - top);
    pen.clip();
    const first = Math.max(this.listedAt(this.rowRange[0]) - 1, 0), last = Math.min(this.listedAt(this.rowRange[1]) + 1, at.length - 1);
    [...side.columns].reverse().forEach((column, back) => {
      const k = side.columns.length - 1 - back;
      const radius = Math.min(Math.max((0.5 * (bottom - top)) / (last - first + 1), 1.1), 2.6);
      for (let i = first; i <= last; i++) {
        if (!isFinite(column[i])) continue;
        pen.fillStyle = k ? this.ink.axis : this.colour(state[i]);
        pen.beginPath();
        pen.arc(x(column[i]), this.py(at[i]), k ? radius * 0.8 : radius, 0, 7);
        pen.fill();
      }
    });
    pen.restore();
    pen.textBaseline = "top";
    pen.fillStyle = this.ink.soft;
    if (side.title === "PCA scores") return;
    const ends = side.ends || side.range;
    const texts = ends.map((v) => short(Math.abs(v) < 1e-3 * Math.abs(ends[1] - ends[0]) ? 0 : v, 3));
    pen.textAlign = "left";
    pen.fillText(texts[0], side.left, bottom + 6);
    pen.textAlign = "right";
    if (pen.measureText(texts.join("  ")).width < side.wide) pen.fillText(texts[1], side.right, bottom + 6);
  }

  // Boundaries across everything, with the interval as a band.
  marks(pen) {
    const { left, right, top, bottom, end, state } = this.place;
    for (const [k, b] of this.data.boundaries.entries()) {
      const y = Math.round(this.py(b.after + 0.5)) + 0.5;
      const place = (ends) => ends.map((v) => Math.max(Math.min(this.py(v), bottom), top));
      pen.fillStyle = this.ink.alert;
      if (b.interval) {
        const [y1, y0] = place(b.interval);
        pen.globalAlpha = 0.22;
        if (y1 - y0 > 1.5) pen.fillRect(state - SPACE + 2, y0, end - state + SPACE - 2, y1 - y0);
      }
      // How long a gradual change takes: bars at both edges of the picture.
      if (b.zone && b.zone[1] - b.zone[0] > 1) {
        const [y1, y0] = place(b.zone);
        pen.globalAlpha = 0.9;
        for (const x of [left, right - 5]) pen.fillRect(x, y0, 5, y1 - y0);
      }
      pen.globalAlpha = 1;
      if (y < top || y > bottom) continue;
      for (const [colour, dash] of [[this.ink.paper, []], [this.ink.alert, [6, 3]]]) {
        pen.setLineDash(dash);
        pen.beginPath();
        pen.moveTo(left, y);
        pen.lineTo(end, y);
        pen.strokeStyle = colour;
        pen.lineWidth = 1.5;
        pen.stroke();
      }
      pen.setLineDash([]);
      this.pill(pen, `${k + 1}  ${this.boundaryText(b)}`, left + 8, y);
    }
  }

  boundaryText(b) {
    if (b.value !== null && this.data.variable) return `${short(b.value, 4)} ${this.data.variableUnit}`.trim();
    return `${b.after + 1} | ${b.after + 2}`;
  }

  pill(pen, text, x, y) {
    pen.font = "600 12px system-ui, sans-serif";
    const wide = pen.measureText(text).width + 14;
    pen.fillStyle = this.ink.paper;
    pen.strokeStyle = this.ink.alert;
    pen.lineWidth = 1.2;
    pen.beginPath();
    pen.roundRect(x, y - 10, wide, 20, 10);
    pen.fill();
    pen.stroke();
    pen.fillStyle = this.ink.text;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.fillText(text, x + 7, y + 0.5);
    pen.font = "12px system-ui, sans-serif";
  }

  // Numbers of the patterns, counted from 1, and the variable at each.
  numbers(pen) {
    const { left, top, bottom } = this.place;
    const has = this.columns.value && this.data.isOrdered;
    const count = Math.max(2, Math.floor((bottom - top) / 46));
    const ticks = linearTicks(this.rowRange[0] + 1, this.rowRange[1] + 1, count).filter((v) => Number.isInteger(v) && v >= 1 && v <= this.data.n);
    pen.textBaseline = "middle";
    for (const v of ticks) {
      const y = Math.round(this.py(v - 1)) + 0.5;
      stroke(pen, this.ink.axis, [[left - 4, y], [left, y]]);
      pen.textAlign = "right";
      pen.fillStyle = this.ink.soft;
      pen.fillText(String(v), left - 7, y);
      if (!has) continue;
      const value = this.columns.value[this.listedAt(v - 1)];
      pen.fillStyle = this.ink.text;
      pen.fillText(short(value, 3), left - this.digits - 18, y);
    }
    pen.textBaseline = "bottom";
    pen.fillStyle = this.ink.soft;
    pen.textAlign = "right";
    pen.fillText("no.", left - 7, TOP - 8);
    pen.fillStyle = this.ink.text;
    if (has) pen.fillText(cut(pen, this.data.variableUnit || this.data.variable, 40), left - this.digits - 18, TOP - 8);
  }
}
