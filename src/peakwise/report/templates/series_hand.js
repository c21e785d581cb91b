// The series under the hand: pointer, keys, and the pattern that is looked at.
Object.assign(Series.prototype, {
  listen() {
    const clamp = ([x, y]) => [Math.min(Math.max(x, this.place.left), this.place.right), Math.min(Math.max(y, this.place.top), this.place.bottom)];
    this.pointer(
      (x, y) => {
        const { left, end, top, bottom } = this.place;
        if (x < left || x > end || y < top || y > bottom) return this.point(null);
        this.point(this.rowAt(this.unpy(y)), x <= this.place.right ? this.nearest(this.unpx(x)) : null);
      },
      (from, to, moved) => {
        if (!moved) {
          this.kept = this.cursor && (!this.kept || this.kept !== this.cursor.row) ? this.cursor.row : null;
          return this.drawOver();
        }
        const [a, b] = [clamp(from), clamp(to)];
        if (Math.abs(a[0] - b[0]) > 8) {
          const ends = [this.unpx(a[0]), this.unpx(b[0])];
          this.view(Math.min(...ends), Math.max(...ends));
        }
        if (Math.abs(a[1] - b[1]) > 8) {
          const ends = [this.unpy(a[1]), this.unpy(b[1])].sort((p, q) => p - q);
          const wide = Math.max(ends[1] - ends[0], Math.min(4, this.data.n));
          const low = Math.min(Math.max((ends[0] + ends[1] - wide) / 2, -0.5), this.data.n - 0.5 - wide);
          this.rowRange = [Math.max(low, -0.5), Math.min(low + wide, this.data.n - 0.5)];
        }
        this.draw();
      },
      () => this.point(null)
    );
    this.box.addEventListener("dblclick", () => ((this.kept = null), this.reset()));
    this.box.addEventListener("keydown", (event) => this.key(event));
  },

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key] || 0, side = { ArrowRight: 1, ArrowLeft: -1 }[event.key] || 0;
    const [low, high] = this.range, middle = (low + high) / 2;
    if (up || side) {
      const now = this.cursor || { row: this.rowAt((this.rowRange[0] + this.rowRange[1]) / 2), point: this.nearest(middle) };
      const row = Math.min(Math.max(now.row + up, 0), this.nRows - 1);
      const step = (this.flipped ? -side : side) * Math.max(1, Math.round((this.window()[1] - this.window()[0]) / (this.place.right - this.place.left)));
      const start = now.point === null ? this.nearest(middle) : now.point;
      this.point(row, Math.min(Math.max(start + step, 0), this.x.length - 1), true);
    } else if (event.key === "+" || event.key === "=") this.view(middle - (high - low) / 4, middle + (high - low) / 4), this.draw();
    else if (event.key === "-") this.view(middle - (high - low), middle + (high - low)), this.draw();
    else if (event.key === "0" || event.key === "Home") this.reset();
    else if (event.key === "Escape") this.point(null);
    else return;
    event.preventDefault();
  },

  point(row, point, aloud) {
    this.cursor = row === null ? null : { row, point: point === undefined ? null : point };
    this.drawOver();
    if (aloud && this.cursor) this.said.textContent = this.told;
  },

  // The pattern of this number, counted from 0, wherever its table or map named it.
  show(place) {
    if (place < this.rowRange[0] || place > this.rowRange[1]) this.reset();
    this.point(this.rowAt(place), null, true);
  },

  drawOver() {
    const width = this.box.clientWidth, height = this.box.clientHeight;
    const pen = fit(this.over, width, height);
    this.tip.hidden = true;
    if (!this.place) return;
    const { left, right, top, bottom, end } = this.place;
    if (this.drag) {
      const { from, to } = this.drag;
      pen.fillStyle = this.ink.select;
      pen.strokeStyle = this.ink.text;
      const corner = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
      pen.fillRect(...corner);
      pen.strokeRect(...corner);
    }
    if (this.cursor && !this.drag) {
      const { row, point } = this.cursor;
      const middle = this.py(this.data.rows[row]);
      // The outermost pattern of a zoomed view may have its middle just outside.
      const room = (bottom - top) / (this.rowRange[1] - this.rowRange[0]);
      if (middle >= top - room && middle <= bottom + room) {
        const y = Math.round(Math.min(Math.max(middle, top), bottom)) + 0.5;
        for (const [colour, wide] of [[this.ink.paper, 3], [this.ink.text, 1]]) {
          pen.beginPath();
          pen.moveTo(left, y);
          pen.lineTo(end, y);
          pen.strokeStyle = colour;
          pen.lineWidth = wide;
          pen.stroke();
        }
        const x = point === null ? null : Math.round(this.px(this.x[point])) + 0.5;
        if (x !== null && x >= left && x <= right) stroke(pen, this.ink.text, [[x, top], [x, bottom]]);
        this.told = this.showTip(this.rowsOf(row, point), x === null ? right : x, y);
      }
    }
    this.drawBelow();
  },

  rowsOf(row, point) {
    const { data, columns } = this;
    const i = this.listedAt(data.rows[row]);
    const rows = [["pattern", `${data.numbers[row]}  ${data.names[row]}`]];
    if (columns.value && isFinite(columns.value[i])) rows.push([data.variable || "value", `${short(columns.value[i], 5)} ${data.variableUnit}`.trim()]);
    rows.push([data.isOrdered ? "state" : "group", columns.state[i] < 0 ? "none" : data.stateNames[columns.state[i]] || String(columns.state[i])]);
    if (columns.probability && isFinite(columns.probability[i])) rows.push(["probability", columns.probability[i] > 0.9994 ? "> 0.999" : columns.probability[i].toFixed(3)]);
    if (point === null) return rows;
    return [...rows, ...this.positionText(point), ["intensity", short(this.row(row)[point], 4)]];
  },

  // The pattern under the pointer, and the one that was kept, on the picture's own axis.
  drawBelow() {
    const width = this.below.clientWidth, height = this.below.clientHeight;
    const pen = fit(this.under, width, height);
    pen.fillStyle = this.ink.paper;
    pen.fillRect(0, 0, width, height);
    pen.font = "12px system-ui, sans-serif";
    const { left, right } = this.place;
    const now = this.cursor ? this.cursor.row : null;
    const rows = [[this.kept, this.ink.observed], [now === null && this.kept === null ? this.rowAt(0) : now, null]].filter(([k]) => k !== null);
    const up = this.scale === "log" ? (v) => Math.log10(Math.max(v, 1e-30)) : SCALES[this.scale].up;
    const [first, last] = this.window();
    let low = Infinity, high = -Infinity;
    for (const [k] of rows) {
      const values = this.row(k);
      for (let i = first; i <= last; i++) if (isFinite(values[i]) && (this.scale !== "log" || values[i] > 0)) (low = Math.min(low, up(values[i]))), (high = Math.max(high, up(values[i])));
    }
    if (!(high > low)) [low, high] = [low - 0.5 || 0, low + 0.5 || 1];
    const top = 8, bottom = height - 8;
    const y = (v) => bottom - ((up(v) - low) / (high - low)) * (bottom - top);
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, right - left, height);
    pen.clip();
    for (const [k, colour] of rows) {
      const state = this.columns.state[this.listedAt(this.data.rows[k])];
      this.curve(pen, this.row(k), y, colour || this.colour(state), 1.3);
    }
    if (this.cursor && this.cursor.point !== null) {
      const x = Math.round(this.px(this.x[this.cursor.point])) + 0.5;
      stroke(pen, this.ink.soft, [[x, 0], [x, height]]);
    }
    pen.restore();
    stroke(pen, this.ink.axis, [[left, bottom + 0.5], [right, bottom + 0.5]]);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillStyle = this.ink.soft;
    const down = this.scale === "log" ? (h) => Math.pow(10, h) : SCALES[this.scale].down;
    pen.fillText(short(Number(down(high).toPrecision(2))), left - 7, top + 4);
    pen.fillText(short(Number(down(low).toPrecision(2))), left - 7, bottom - 4);
    rows.reverse().forEach(([k, colour], i) => {
      const value = this.columns.state[this.listedAt(this.data.rows[k])];
      const text = cut(pen, `${colour ? "kept: " : ""}pattern ${this.data.numbers[k]}  ${this.data.names[k]}`, (right - left) / 2);
      const wide = pen.measureText(text).width;
      pen.fillStyle = this.ink.paper;
      pen.globalAlpha = 0.85;
      pen.fillRect(right - wide - 28, 4 + 18 * i, wide + 26, 18);
      pen.globalAlpha = 1;
      pen.fillStyle = colour || this.colour(value);
      pen.fillRect(right - wide - 24, 8 + 18 * i, 10, 10);
      pen.fillStyle = this.ink.text;
      pen.textAlign = "right";
      pen.fillText(text, right - 6, 13 + 18 * i);
    });
  },
});
