// How a plane is drawn: few points as signs, many as tiles of their mean colour, in one pass over all of them.
Object.assign(Plane.prototype, {
  draw() {
    const width = this.box.clientWidth, height = this.box.clientHeight;
    if (!width || !height || !this.xs) return;
    const start = performance.now();
    const pen = fit(this.canvas, width, height);
    this.ink = inks(this.box);
    const key = this.by + this.ink.paper;
    if (this.painted !== key) Object.assign(this, { painted: key, colours: paint(this.cloud, this.by, this.ink) });
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = this.ink.paper;
    pen.fillRect(0, 0, width, height);
    const rows = this.legend(pen, width, false);
    this.place = { left: 62, right: width - 12, top: 8 + 20 * rows, bottom: height - 40 };
    this.scaleTo();
    Object.assign(this.figure.dataset, { rows, view: this.seen.map((v) => v.toPrecision(9)).join(" ") });
    const { left, right, top, bottom } = this.place;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, right - left, bottom - top);
    pen.clip();
    this.under(pen);
    this.dots(pen);
    this.above(pen);
    pen.restore();
    this.frame(pen);
    this.legend(pen, width, true);
    this.figure.dataset.ms = (performance.now() - start).toFixed(2);
    this.drawOver();
  },

  // Factors from numbers to pixels. Where both axes are of one kind, a length is the same along both.
  scaleTo() {
    const { left, right, top, bottom } = this.place;
    let [x0, x1, y0, y1] = this.seen;
    if (this.isSquare) {
      const unit = Math.max((x1 - x0) / (right - left), (y1 - y0) / (bottom - top));
      const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
      [x0, x1] = [x - (unit * (right - left)) / 2, x + (unit * (right - left)) / 2];
      [y0, y1] = [y - (unit * (bottom - top)) / 2, y + (unit * (bottom - top)) / 2];
      this.seen = [x0, x1, y0, y1];
    }
    const kx = (right - left) / (x1 - x0), ky = -(bottom - top) / (y1 - y0);
    this.to = { kx, ky, x0: left - kx * x0, y0: bottom - ky * y0 };
  },

  px(x) {
    return this.to.x0 + this.to.kx * x;
  },

  py(y) {
    return this.to.y0 + this.to.ky * y;
  },

  unx(p) {
    return (p - this.to.x0) / this.to.kx;
  },

  uny(p) {
    return (p - this.to.y0) / this.to.ky;
  },

  under() {},

  above() {},

  dots(pen) {
    const { n, total, columns } = this.cloud, { left, right, top, bottom } = this.place, { kx, ky, x0, y0 } = this.to;
    const wide = Math.ceil((right - left) / TILE), high = Math.ceil((bottom - top) / TILE);
    const count = new Float32Array(wide * high), sums = new Float32Array(3 * wide * high), { bytes } = this.colours;
    const few = [[], [], []]; // known scans, asked ones, new ones
    let most = 0;
    const isKnown = (i) => (i >= n ? 0 : columns.answer[i] === NEW ? 2 : 1);
    for (let i = 0; i < total; i++) {
      const x = x0 + kx * this.xs[i] - left, y = y0 + ky * this.ys[i] - top;
      if (!(x >= 0 && y >= 0 && x < right - left && y < bottom - top)) continue;
      const kind = isKnown(i);
      if (few[kind].length <= FEW) few[kind].push(i);
      if (kind === 2) continue; // always a sign, as far as they are few
      const k = ((y / TILE) | 0) * wide + ((x / TILE) | 0), c = (count[k] += 1);
      if (c > most) most = c;
      sums[3 * k] += bytes[3 * i];
      sums[3 * k + 1] += bytes[3 * i + 1];
      sums[3 * k + 2] += bytes[3 * i + 2];
    }
    const isMany = few[0].length + few[1].length > FEW;
    this.figure.dataset.drawn = isMany ? "tiles" : "points";
    if (isMany) this.tiles(pen, wide, high, count, sums, most);
    else for (const kind of [0, 1]) for (const i of few[kind]) this.sign(pen, i, kind);
    for (const i of few[2]) this.sign(pen, i, 2);
  },

  tiles(pen, wide, high, count, sums, most) {
    const sheet = this.sheet || (this.sheet = make("canvas"));
    sheet.width = wide;
    sheet.height = high;
    const brush = sheet.getContext("2d"), image = brush.createImageData(wide, high), out = image.data;
    const top = Math.log(1 + most);
    for (let k = 0; k < count.length; k++) {
      const c = count[k];
      if (!c) continue;
      out[4 * k] = sums[3 * k] / c;
      out[4 * k + 1] = sums[3 * k + 1] / c;
      out[4 * k + 2] = sums[3 * k + 2] / c;
      out[4 * k + 3] = 255 * (0.4 + 0.6 * (Math.log(1 + c) / top));
    }
    brush.putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(sheet, this.place.left, this.place.top, wide * TILE, high * TILE);
  },

  size() {
    return this.cloud.n > 1000 ? 3 : this.cloud.n > 200 ? 3.6 : 4.6;
  },

  // New is a triangle, explained a square, known a disc; known scans that were learned from are small discs.
  sign(pen, i, kind) {
    const x = this.px(this.xs[i]), y = this.py(this.ys[i]), r = this.size(), { bytes } = this.colours;
    pen.fillStyle = `rgb(${bytes[3 * i]} ${bytes[3 * i + 1]} ${bytes[3 * i + 2]})`;
    pen.beginPath();
    if (kind === 0) pen.arc(x, y, Math.max(0.45 * r, 1.2), 0, 7);
    else if (kind === 2) {
      pen.moveTo(x, y - 1.5 * r);
      pen.lineTo(x + 1.35 * r, y + 0.9 * r);
      pen.lineTo(x - 1.35 * r, y + 0.9 * r);
      pen.closePath();
    } else if (this.cloud.columns.answer[i] === EXPLAINED) pen.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
    else pen.arc(x, y, r, 0, 7);
    pen.fill();
    if (kind === 0) return;
    pen.strokeStyle = kind === 2 ? this.ink.text : this.ink.paper;
    pen.lineWidth = kind === 2 ? 1.2 : 0.8;
    pen.stroke();
  },

  // Rows of the key above the plot; without `isDrawn` they are only counted. Shapes are told whatever the colours say.
  legend(pen, width, isDrawn) {
    const { title, key, low, high, colour } = this.colours, { answer } = this.cloud.columns;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    let x = 62, row = 0;
    if (!key) {
      const ends = [title, short(low, 3), short(high, 3)].map((text) => [text, pen.measureText(text).width]);
      if (isDrawn) {
        pen.fillStyle = this.ink.soft;
        pen.fillText(title, x, 12);
        pen.fillText(ends[1][0], x + ends[0][1] + 12, 12);
        const from = x + ends[0][1] + ends[1][1] + 18;
        pen.fillText(ends[2][0], from + 126, 12);
        for (let k = 0; k < 120; k++) {
          pen.fillStyle = `rgb(${colour(low + (k / 119) * (high - low)).join(" ")})`;
          pen.fillRect(from + k, 6, 1.5, 12);
        }
      }
      x += ends[0][1] + ends[1][1] + ends[2][1] + 164;
    }
    const shapes = this.by === "answer" ? [] : [EXPLAINED, NEW].filter((a) => this.has(answer, a)).map((a) => this.cloud.labels[a]);
    const items = [...(key || []).slice(0, 24), ...shapes.map((text) => [this.ink.soft, text, true])];
    for (const [ink, text, isShape] of items) {
      const told = cut(pen, text, 220), wide = 17 + pen.measureText(told).width + 14;
      if (x + wide > width && x > 62) [x, row] = [62, row + 1];
      if (isDrawn) this.mark(pen, ink, isShape || this.by === "answer" ? text : "", x, 12 + 20 * row);
      pen.fillStyle = this.ink.soft;
      if (isDrawn) pen.fillText(told, x + 17, 12 + 20 * row);
      x += wide;
    }
    return row + 1;
  },

  has(answer, kind) {
    for (let i = 0; i < this.cloud.n; i++) if (answer[i] === kind) return true;
    return false;
  },

  mark(pen, ink, shape, x, y) {
    pen.fillStyle = ink;
    pen.beginPath();
    const { labels } = this.cloud;
    if (shape === labels[NEW]) pen.moveTo(x + 6, y - 6), pen.lineTo(x + 12, y + 5), pen.lineTo(x, y + 5);
    else if (shape === labels[EXPLAINED]) pen.rect(x + 1, y - 5, 10, 10);
    else pen.arc(x + 6, y, shape === "learned from" ? 3 : 5, 0, 7);
    pen.fill();
  },

  // Numbers along both axes.
  frame(pen) {
    const { left, right, top, bottom } = this.place, [xLabel, yLabel] = this.labels();
    pen.strokeStyle = this.ink.axis;
    pen.lineWidth = 1;
    pen.strokeRect(left + 0.5, top + 0.5, right - left, bottom - top);
    pen.fillStyle = this.ink.soft;
    if (this.hasX !== false) {
      pen.textAlign = "center";
      pen.textBaseline = "top";
      const count = Math.max(2, Math.floor((right - left) / 90)), step = niceStep(this.seen[1] - this.seen[0], count);
      for (const v of linearTicks(this.seen[0], this.seen[1], count)) {
        stroke(pen, this.ink.axis, [[this.px(v), bottom], [this.px(v), bottom + 4]]);
        pen.fillText(tickText(v, step), this.px(v), bottom + 6);
      }
      pen.fillText(xLabel, (left + right) / 2, bottom + 22);
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const count = Math.max(2, Math.floor((bottom - top) / 55)), step = niceStep(this.seen[3] - this.seen[2], count);
    for (const v of linearTicks(this.seen[2], this.seen[3], count)) {
      stroke(pen, this.ink.axis, [[left - 4, this.py(v)], [left, this.py(v)]]);
      pen.fillText(tickText(v, step), left - 7, this.py(v));
    }
    pen.save();
    pen.translate(11, (top + bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(yLabel, 0, 0);
    pen.restore();
  },

  // A dashed line at the score above which a scan is new.
  limitLine(pen) {
    const { threshold } = this.cloud.data;
    if (threshold === null || !(threshold > this.seen[2] && threshold < this.seen[3])) return;
    const y = Math.round(this.py(threshold)) + 0.5, { left, right } = this.place;
    pen.setLineDash([6, 4]);
    stroke(pen, this.ink.text, [[left, y], [right, y]]);
    pen.setLineDash([]);
    pen.textAlign = "right";
    pen.textBaseline = "bottom";
    pen.fillStyle = this.ink.text;
    pen.fillText("new above this line", right - 6, y - 2);
  },
});
