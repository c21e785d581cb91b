// One overlay: curves, reflections, what is left over. Two canvases, so that the pointer does not redraw the curves.
const MARGIN = { top: 22, right: 14, bottom: 40 };
const ROW = 15; // of reflections
const REST = 76; // height of the strip below: observed minus calculated
const GAP = 8;

class Drawing {
  // Where things are, in CSS pixels.
  layout(pen) {
    const width = this.box.clientWidth;
    pen.font = "12px system-ui, sans-serif";
    const names = this.data.phases.map((p) => p.name).concat(this.why ? this.data.explanation.method : []).map((t) => pen.measureText(t).width);
    const left = Math.ceil(Math.max(66, Math.min(Math.max(0, ...names) + 12, width < 640 ? 84 : 150)));
    const rows = this.data.phases.filter((p, i) => p.ticks.length && this.shown["phase" + i]).length;
    const rest = this.columns.residual && this.shown.residual ? REST + GAP : 0;
    const why = this.why ? ROW + GAP : 0;
    const bottom = this.box.clientHeight - MARGIN.bottom;
    const main = bottom - rest - why - rows * ROW - (rows ? GAP : 0);
    const start = main + (rows ? GAP : 0);
    return { left, right: width - MARGIN.right, top: MARGIN.top, main, rows: start, rest: start + rows * ROW + (rest ? GAP : 0), why: bottom - why + GAP, hasRest: rest > 0, bottom, width };
  }

  px(x) {
    const { left, right } = this.place;
    return left + ((x - this.range[0]) / (this.range[1] - this.range[0])) * (right - left);
  }

  unpx(p) {
    const { left, right } = this.place;
    return this.range[0] + ((p - left) / (right - left)) * (this.range[1] - this.range[0]);
  }

  // Intensities in view: what is drawn decides, with room for arrows.
  heights(first, last) {
    let low = Infinity, high = -Infinity, least = Infinity;
    const look = (column) => {
      for (let i = first; i <= last; i++) {
        const v = column[i];
        if (!isFinite(v)) continue;
        if (v < low) low = v;
        if (v > high) high = v;
        if (v > 0 && v < least) least = v;
      }
    };
    const { columns, shown } = this;
    if (shown.observed) look(columns.observed);
    if (shown.calculated && columns.calculated) look(columns.calculated);
    if (shown.background && columns.background) look(columns.background);
    this.data.phases.forEach((_, i) => shown["phase" + i] && this.stacked(i) && look(this.stacked(i)));
    if (!(high > -Infinity)) [low, high] = [0, 1];
    if (this.scale === "log") {
      high = high > 0 ? high : 1;
      low = Math.max(isFinite(least) ? least : high / 1e4, high / 1e5);
      return [low >= high ? high / 10 : low / 1.3, high * Math.pow(high / low, 0.08)];
    }
    const { up, down } = SCALES[this.scale];
    const [a, b] = [Math.min(low, this.scale === "linear" && low > 0.6 * high ? low : 0), high];
    const room = up(b) - up(a) || 1;
    return [a < 0 || a === low ? down(up(a) - 0.03 * room) : a, down(up(b) + 0.1 * room)];
  }

  // A phase stands on the background, as it does in the scan.
  stacked(i) {
    const part = this.columns["phase" + i];
    const base = this.columns.background;
    if (!part) return null;
    this.sums = this.sums || {};
    if (!this.sums[i]) this.sums[i] = base ? part.map((v, k) => v + base[k]) : part;
    return this.sums[i];
  }

  draw() {
    const width = this.box.clientWidth, height = this.box.clientHeight;
    if (!width || !height) return;
    const pen = fit(this.canvas, width, height);
    this.ink = inks(this.box);
    this.place = this.layout(pen);
    this.paint(pen, this.place, width, height);
    this.drawOver();
  }

  paint(pen, at, width, height) {
    const { ink, columns, shown, data } = this;
    pen.fillStyle = ink.paper;
    pen.fillRect(0, 0, width, height);
    const [first, last] = this.window();
    this.band = this.heights(first, last);
    const { up } = SCALES[this.scale];
    const [low, high] = this.band.map(up);
    const floor = this.band[0];
    this.py = (v) => at.main - ((up(this.scale === "log" && v < floor ? floor : v) - low) / (high - low)) * (at.main - at.top);
    this.grid(pen, at);
    pen.save();
    pen.beginPath();
    pen.rect(at.left, at.top - 14, at.right - at.left, at.main - at.top + 14);
    pen.clip();
    if (shown.background && columns.background) this.line(pen, columns.background, first, last, ink.soft, 1, [4, 3]);
    if (shown.observed) this.dots(pen, columns.observed, first, last);
    if (shown.calculated && columns.calculated) this.line(pen, columns.calculated, first, last, ink.text, 1.2);
    // Over the sum: where one phase makes all of a peak, the peak has its colour.
    data.phases.forEach((p, i) => shown["phase" + i] && this.stacked(i) && this.area(pen, i, ink.phases[p.colour % 8], first, last));
    this.arrows(pen);
    pen.restore();
    this.reflections(pen, at);
    if (at.hasRest) this.rest(pen, at, first, last);
    if (this.why) this.strip(pen, at);
  }

  grid(pen, at) {
    const { ink } = this;
    const count = Math.max(2, Math.floor((at.right - at.left) / 90));
    const marks = linearTicks(this.range[0], this.range[1], count);
    const step = niceStep(this.range[1] - this.range[0], count);
    pen.lineWidth = 1;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const values = this.scale === "linear"
      ? linearTicks(this.band[0], this.band[1], Math.max(2, Math.floor((at.main - at.top) / 52)))
      : decadeTicks(this.band[0], this.band[1], this.py, 26);
    for (const v of values) {
      const y = Math.round(this.py(v)) + 0.5;
      stroke(pen, ink.grid, [[at.left, y], [at.right, y]]);
      pen.fillStyle = ink.soft;
      pen.fillText(short(v), at.left - 7, y);
    }
    stroke(pen, ink.axis, [[at.left, at.bottom + 0.5], [at.right, at.bottom + 0.5]]);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const v of marks) {
      const x = Math.round(this.px(v)) + 0.5;
      stroke(pen, ink.axis, [[x, at.bottom], [x, at.bottom + 5]]);
      pen.fillStyle = ink.soft;
      pen.fillText(tickText(v, step), x, at.bottom + 8);
    }
    pen.fillStyle = ink.text;
    pen.fillText(this.label(), (at.left + at.right) / 2, at.bottom + 24);
    pen.textAlign = "left";
    const unit = this.data.intensity ? ` [${this.data.intensity}]` : "";
    const said = { sqrt: ", square-root scale", log: ", logarithmic scale", linear: "" }[this.scale];
    pen.fillText(`intensity${unit}${said}`, 4, 4);
  }

  label() {
    if (this.axis in AXES) return AXES[this.axis].label;
    return this.data.kind.replace(/_/g, " ") + (this.data.unit ? ` [${this.data.unit}]` : "");
  }

  // A curve; where points are denser than pixels, each column shows its lowest and highest.
  trace(pen, column, first, last, height) {
    const dense = last - first > 2.5 * (this.place.right - this.place.left);
    let down = true, pixel = null, low = 0, high = 0, end = 0;
    const to = (x, y) => {
      if (down) pen.moveTo(x, y);
      else pen.lineTo(x, y);
      down = false;
    };
    for (let i = first; i <= last; i++) {
      if (!isFinite(column[i]) || !isFinite(this.x[i])) {
        if (pixel !== null) to(pixel, low), to(pixel, high);
        pixel = null;
        down = true;
        continue;
      }
      const x = this.px(this.x[i]), y = height(column[i]);
      if (!dense) {
        to(x, y);
        continue;
      }
      const here = Math.round(x);
      if (here !== pixel) {
        if (pixel !== null) to(pixel, low), to(pixel, high), to(pixel, end);
        pixel = here;
        low = high = y;
        to(here, y);
      }
      low = Math.min(low, y);
      high = Math.max(high, y);
      end = y;
    }
    if (pixel !== null) to(pixel, low), to(pixel, high);
  }

  line(pen, column, first, last, colour, width, dash) {
    pen.beginPath();
    this.trace(pen, column, first, last, this.py);
    pen.setLineDash(dash || []);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.stroke();
    pen.setLineDash([]);
  }

  area(pen, i, colour, first, last) {
    const top = this.stacked(i), base = this.columns.background;
    this.line(pen, this.shaped(i), first, last, colour, 1.5);
    pen.beginPath();
    for (let k = first; k <= last; k++) pen.lineTo(this.px(this.x[k]), this.py(isFinite(top[k]) ? top[k] : 0));
    for (let k = last; k >= first; k--) pen.lineTo(this.px(this.x[k]), this.py(base && isFinite(base[k]) ? base[k] : this.band[0]));
    pen.globalAlpha = 0.2;
    pen.fillStyle = colour;
    pen.fill();
    pen.globalAlpha = 1;
  }

  // Where a phase has nothing, its line would only hide the background.
  shaped(i) {
    this.shapes = this.shapes || {};
    if (!this.shapes[i]) {
      const part = this.columns["phase" + i];
      const least = 0.002 * part.reduce((most, v) => Math.max(most, v), 0);
      this.shapes[i] = this.stacked(i).map((v, k) => (part[k] > least ? v : NaN));
    }
    return this.shapes[i];
  }

  dots(pen, column, first, last) {
    const wide = this.place.right - this.place.left;
    if (last - first > 1.6 * wide) return this.line(pen, column, first, last, this.ink.observed, 1);
    const radius = last - first > wide / 2 ? 1.1 : last - first > wide / 6 ? 1.6 : 2.4;
    pen.fillStyle = this.ink.observed;
    for (let i = first; i <= last; i++) {
      if (!isFinite(column[i])) continue;
      pen.beginPath();
      pen.arc(this.px(this.x[i]), this.py(column[i]), radius, 0, 7);
      pen.fill();
    }
  }

  arrows(pen) {
    const { ink } = this;
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    pen.font = "600 11px system-ui, sans-serif";
    const few = this.unexplained.length <= 40;
    this.unexplained.forEach((x, k) => {
      if (x < this.range[0] || x > this.range[1]) return;
      const left = this.px(x);
      const i = this.nearest(x);
      let top = -Infinity;
      for (let j = Math.max(i - 3, 0); j <= Math.min(i + 3, this.data.n - 1); j++) if (this.columns.observed[j] > top) top = this.columns.observed[j];
      const y = Math.max(Math.min(this.py(top), this.place.main) - 6, this.place.top + 6);
      pen.fillStyle = ink.alert;
      pen.beginPath();
      pen.moveTo(left, y);
      pen.lineTo(left - 4.5, y - 9);
      pen.lineTo(left + 4.5, y - 9);
      pen.closePath();
      pen.fill();
      if (few) pen.fillText(String(k + 1), left, y - 9);
    });
    pen.font = "12px system-ui, sans-serif";
  }

  reflections(pen, at) {
    let y = at.rows;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    this.data.phases.forEach((p, i) => {
      if (!p.ticks.length || !this.shown["phase" + i]) return;
      const colour = this.ink.phases[p.colour % 8];
      pen.beginPath();
      for (const t of this.ticks[i]) {
        if (!(t >= this.range[0] && t <= this.range[1])) continue;
        const x = Math.round(this.px(t)) + 0.5;
        pen.moveTo(x, y + 2);
        pen.lineTo(x, y + ROW - 3);
      }
      pen.strokeStyle = colour;
      pen.lineWidth = 1.3;
      pen.stroke();
      pen.fillStyle = colour;
      pen.fillText(cut(pen, p.name, at.left - 12), at.left - 7, y + ROW / 2);
      y += ROW;
    });
  }

  rest(pen, at, first, last) {
    const { ink } = this;
    const column = this.columns.residual;
    let top = 0;
    for (let i = first; i <= last; i++) if (Math.abs(column[i]) > top) top = Math.abs(column[i]);
    top = top || 1;
    const middle = at.rest + REST / 2;
    const height = (v) => middle - (v / top) * (REST / 2 - 2);
    pen.fillStyle = ink.band;
    pen.fillRect(at.left, at.rest, at.right - at.left, REST);
    stroke(pen, ink.axis, [[at.left, middle + 0.5], [at.right, middle + 0.5]]);
    pen.save();
    pen.beginPath();
    pen.rect(at.left, at.rest, at.right - at.left, REST);
    pen.clip();
    pen.beginPath();
    this.trace(pen, column, first, last, height);
    pen.strokeStyle = ink.rest;
    pen.lineWidth = 1;
    pen.stroke();
    pen.restore();
    pen.fillStyle = ink.soft;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const end = short(Number(top.toPrecision(2)));
    pen.fillText("+" + end, at.left - 7, at.rest + 7);
    pen.fillText("0", at.left - 7, middle);
    pen.fillText("−" + end, at.left - 7, at.rest + REST - 7);
    pen.textAlign = "left";
    pen.fillText("observed − calculated", at.left + 6, at.rest + 9);
  }

  // What spoke for the answer: a band, darker where it counted more; the other colour where it spoke against.
  strip(pen, at) {
    const { ink, why, data } = this;
    const wide = Math.ceil(at.right - at.left);
    const most = new Float32Array(wide);
    for (let i = 0; i < why.x.length; i++) {
      const p = Math.floor(this.px(convert(why.x[i], data.kind, this.axis, data.wavelength)) - at.left);
      const next = i + 1 < why.x.length ? Math.floor(this.px(convert(why.x[i + 1], data.kind, this.axis, data.wavelength)) - at.left) : p;
      const [from, to] = [Math.max(Math.min(p, next), 0), Math.min(Math.max(p, next), wide - 1)];
      for (let k = from; k <= to; k++) if (Math.abs(why.relevance[i]) > Math.abs(most[k])) most[k] = why.relevance[i];
    }
    for (let k = 0; k < wide; k++) {
      pen.globalAlpha = Math.min(Math.abs(most[k]), 1);
      pen.fillStyle = most[k] < 0 ? ink.alert : ink.why;
      pen.fillRect(at.left + k, at.why, 1, ROW);
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = ink.grid;
    pen.strokeRect(at.left + 0.5, at.why + 0.5, at.right - at.left - 1, ROW - 1);
    pen.fillStyle = ink.soft;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(cut(pen, data.explanation.method, at.left - 12), at.left - 7, at.why + ROW / 2);
  }

  drawOver() {
    const pen = fit(this.over, this.box.clientWidth, this.box.clientHeight);
    if (!this.place) return;
    const { left, top, bottom } = this.place;
    if (this.drag) {
      pen.fillStyle = this.ink.select;
      pen.fillRect(Math.min(this.drag.from, this.drag.to), top, Math.abs(this.drag.to - this.drag.from), bottom - top);
    }
    const seen = this.cursor !== null && this.x[this.cursor] >= this.range[0] && this.x[this.cursor] <= this.range[1];
    this.tip.hidden = !seen || this.drag !== null;
    if (!seen) return;
    const x = Math.round(this.px(this.x[this.cursor])) + 0.5;
    stroke(pen, this.ink.soft, [[x, top], [x, bottom]]);
    const value = this.columns.observed[this.cursor];
    if (isFinite(value)) {
      pen.beginPath();
      pen.arc(x, this.py(value), 4, 0, 7);
      pen.strokeStyle = this.ink.text;
      pen.lineWidth = 1.5;
      pen.stroke();
    }
    if (!this.tip.hidden) this.placeTip(x, left);
  }

}
