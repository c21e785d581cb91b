// One overlay: curves, reflections, what is left over. Two canvases, so that the pointer does not redraw the curves.
const MARGIN = { top: 22, right: 14, bottom: 40 };
const ROW = 15; // of reflections
const REST = 76; // height of the strip below: observed minus calculated
const GAP = 8;

function make(name, css, text) {
  const node = document.createElement(name);
  if (css) node.className = css;
  if (text !== undefined) node.textContent = text;
  return node;
}

class Plot {
  constructor(figure, data, columns, why) {
    Object.assign(this, { figure, data, columns, why });
    this.axis = data.kind;
    this.scale = "sqrt";
    this.shown = { observed: true, calculated: true, background: true, residual: true };
    data.phases.forEach((_, i) => (this.shown["phase" + i] = true));
    this.cursor = null;
    this.drag = null;
    this.measure();
    this.build();
    this.useAxis(this.axis);
    this.reset();
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  // Derived once: what is left over, and the sum where the answer holds no calculated curve.
  measure() {
    const { columns, data } = this;
    const n = data.n;
    if (!columns.calculated && columns.background && data.phases.some((_, i) => columns["phase" + i])) {
      const sum = Float32Array.from(columns.background);
      data.phases.forEach((_, p) => {
        const part = columns["phase" + p];
        if (part) for (let i = 0; i < n; i++) sum[i] += part[i];
      });
      columns.calculated = sum;
    }
    if (columns.calculated) {
      columns.residual = new Float32Array(n);
      for (let i = 0; i < n; i++) columns.residual[i] = columns.observed[i] - columns.calculated[i];
    }
  }

  build() {
    const { data, figure } = this;
    this.tools = make("div", "tools");
    const axes = axesOf(data.kind, data.wavelength);
    if (axes.length > 1) this.choice("axis", axes, (a) => AXES[a].symbol, (a) => this.useAxis(a), "Axis");
    this.choice("scale", Object.keys(SCALES), (s) => SCALES[s].label, (s) => this.useScale(s), "Intensity scale");
    const zoom = make("span", "group");
    for (const [sign, say, act] of [
      ["+", "zoom in", () => this.zoom(0.5)],
      ["−", "zoom out", () => this.zoom(2)],
      ["reset", "show the whole scan", () => this.reset()],
      ["save PNG", "save this view as a picture", () => this.save()],
    ]) {
      const button = make("button", "", sign);
      button.type = "button";
      button.title = say;
      button.setAttribute("aria-label", say);
      button.addEventListener("click", act);
      zoom.append(button);
    }
    this.tools.append(zoom);
    this.box = make("div", "box");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "application");
    this.box.setAttribute("aria-roledescription", "plot");
    this.box.setAttribute("aria-label", figure.dataset.label + ". Arrow keys move the cursor, plus and minus zoom, 0 shows all.");
    this.canvas = make("canvas", "curves");
    this.over = make("canvas", "over");
    this.tip = make("div", "tip");
    this.tip.hidden = true;
    this.box.append(this.canvas, this.over, this.tip);
    this.said = make("p", "said");
    this.said.setAttribute("aria-live", "polite");
    const hint = make("p", "hint", "Drag to zoom, double-click for all, wheel to zoom once the plot is clicked (or with Ctrl). Keys: ← → cursor, Shift+← → move, + − zoom, 0 all, u next unexplained peak.");
    figure.prepend(this.tools, this.box, this.toggles(), this.said, hint);
    this.listen();
  }

  choice(what, names, text, act, label) {
    const group = make("span", "group");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    group.dataset.choice = what;
    for (const name of names) {
      const button = make("button", "", text(name));
      button.type = "button";
      button.dataset.value = name;
      button.addEventListener("click", () => {
        act(name);
        this.draw();
      });
      group.append(button);
    }
    this.tools.append(group);
  }

  press(what, value) {
    for (const button of this.tools.querySelectorAll(`[data-choice="${what}"] button`))
      button.setAttribute("aria-pressed", String(button.dataset.value === value));
  }

  toggles() {
    const row = make("div", "toggles");
    const items = [
      ["observed", "observed", "dots"],
      ["calculated", "calculated", "line"],
      ["background", "background", "dash"],
      ...this.data.phases.map((p, i) => ["phase" + i, p.name, "swatch b" + (p.colour % 8)]),
      ["residual", "observed − calculated", "rest"],
    ];
    for (const [key, text, css] of items) {
      if (!this.columns[key] && !key.startsWith("phase")) continue;
      const label = make("label");
      const box = make("input");
      box.type = "checkbox";
      box.checked = true;
      box.dataset.curve = key;
      box.addEventListener("change", () => {
        this.shown[key] = box.checked;
        this.draw();
      });
      const name = make("bdi", "", text);
      label.append(box, make("span", "key " + css), name);
      row.append(label);
    }
    return row;
  }

  useAxis(name) {
    const { data, columns } = this;
    const kept = this.range && this.range.map((v) => convert(v, this.axis, name, data.wavelength));
    const turn = (v) => convert(v, data.kind, name, data.wavelength);
    this.axis = name;
    const n = data.n;
    this.x = new Float64Array(n);
    for (let i = 0; i < n; i++) this.x[i] = turn(columns.x[i]);
    this.flipped = n > 1 && this.x[0] > this.x[n - 1];
    this.ticks = data.phases.map((p) => p.ticks.map(turn));
    this.unexplained = data.unexplained.map((p) => turn(p[0]));
    this.full = this.limits();
    if (kept) this.range = [Math.max(Math.min(...kept), this.full[0]), Math.min(Math.max(...kept), this.full[1])];
    if (this.range && !(this.range[1] > this.range[0])) this.range = this.full.slice();
    this.cursor = null;
    this.press("axis", name);
  }

  limits() {
    let low = Infinity, high = -Infinity;
    for (const v of this.x) if (isFinite(v)) (low = Math.min(low, v)), (high = Math.max(high, v));
    return high > low ? [low, high] : [low - 0.5, low + 0.5];
  }

  useScale(name) {
    this.scale = name;
    this.press("scale", name);
  }

  reset() {
    this.range = this.full.slice();
    this.useScale(this.scale);
    this.draw();
  }

  zoom(factor, at) {
    const [low, high] = this.range;
    const centre = at === undefined ? (this.cursor === null ? (low + high) / 2 : this.x[this.cursor]) : at;
    this.view(centre - (centre - low) * factor, centre + (high - centre) * factor);
  }

  // No further in than three steps of the scan, no further out than all of it.
  view(low, high) {
    const [first, last] = this.full;
    const least = (3 * (last - first)) / Math.max(this.data.n - 1, 3);
    if (high - low < least) {
      const centre = (low + high) / 2;
      [low, high] = [centre - least / 2, centre + least / 2];
    }
    const wide = Math.min(high - low, last - first);
    low = Math.min(Math.max(low, first), last - wide);
    this.range = [low, low + wide];
    this.draw();
  }

  // Show a position of the scan's own axis, as the tables name it.
  show(x) {
    const at = convert(x, this.data.kind, this.axis, this.data.wavelength);
    const wide = (this.full[1] - this.full[0]) / 24;
    this.view(at - wide, at + wide);
    this.point(this.nearest(at));
  }

  nearest(value) {
    const { x, flipped } = this;
    let low = 0, high = x.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (flipped ? x[middle] > value : x[middle] < value) low = middle;
      else high = middle;
    }
    return Math.abs(x[low] - value) <= Math.abs(x[high] - value) ? low : high;
  }

  // The points of the view, one more at each side.
  window() {
    const [a, b] = this.range.map((v) => this.nearest(v));
    return [Math.max(Math.min(a, b) - 1, 0), Math.min(Math.max(a, b) + 1, this.x.length - 1)];
  }

  // Where things are, in CSS pixels.
  layout(pen) {
    const width = this.box.clientWidth;
    pen.font = "12px system-ui, sans-serif";
    const names = this.data.phases.map((p) => pen.measureText(p.name).width);
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
    data.phases.forEach((p, i) => {
      if (shown["phase" + i] && this.stacked(i)) this.area(pen, this.stacked(i), columns.background, ink.phases[p.colour % 8], first, last);
    });
    if (shown.background && columns.background) this.line(pen, columns.background, first, last, ink.soft, 1, [4, 3]);
    if (shown.observed) this.dots(pen, columns.observed, first, last);
    if (shown.calculated && columns.calculated) this.line(pen, columns.calculated, first, last, ink.text, 1.2);
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

  area(pen, top, base, colour, first, last) {
    pen.beginPath();
    this.trace(pen, top, first, last, this.py);
    pen.strokeStyle = colour;
    pen.lineWidth = 1.4;
    pen.stroke();
    if (last - first > 2.5 * (this.place.right - this.place.left)) return;
    for (let i = last; i >= first; i--) pen.lineTo(this.px(this.x[i]), base ? this.py(base[i]) : this.place.main);
    pen.globalAlpha = 0.18;
    pen.fillStyle = colour;
    pen.fill();
    pen.globalAlpha = 1;
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
    pen.fillText("+" + short(top, 2), at.left - 7, at.rest + 7);
    pen.fillText("0", at.left - 7, middle);
    pen.fillText("−" + short(top, 2), at.left - 7, at.rest + REST - 7);
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

  placeTip(x) {
    const wide = this.tip.offsetWidth;
    const right = x + 14 + wide < this.box.clientWidth;
    this.tip.style.left = `${Math.max(right ? x + 14 : x - 14 - wide, 2)}px`;
    this.tip.style.top = `${this.place.top + 4}px`;
  }

  point(i) {
    this.cursor = i;
    if (i !== null) this.tell(i);
    this.drawOver();
  }

  tell(i) {
    const { data, columns } = this;
    const rows = [];
    const named = this.axis in AXES ? [this.axis, ...axesOf(data.kind, data.wavelength).filter((a) => a !== this.axis)] : [this.axis];
    for (const axis of named) {
      const value = convert(columns.x[i], data.kind, axis, data.wavelength);
      const form = AXES[axis];
      rows.push(form ? [form.symbol, `${value.toFixed(form.digits)} ${form.unit}`] : [this.label(), short(value, 6)]);
    }
    rows.push(["observed", short(columns.observed[i], 5)]);
    if (columns.calculated) rows.push(["calculated", short(columns.calculated[i], 5)], ["difference", short(columns.residual[i], 4)]);
    const near = this.nearReflection(this.x[i]);
    if (near) rows.push(["reflection", near]);
    const stray = this.unexplained.findIndex((x) => Math.abs(this.px(x) - this.px(this.x[i])) < 6);
    if (stray >= 0) rows.push(["unexplained", `peak ${stray + 1}`]);
    this.tip.replaceChildren(...rows.map(([name, value]) => {
      const row = make("div");
      row.append(make("span", "", name), make("bdi", "", value));
      return row;
    }));
    this.said.textContent = rows.map((r) => r.join(" ")).join(", ");
  }

  nearReflection(x) {
    let best = 14, text = null;
    this.ticks.forEach((ticks, p) => {
      if (!this.shown["phase" + p]) return;
      const phase = this.data.phases[p];
      ticks.forEach((t, k) => {
        const away = Math.abs(this.px(t) - this.px(x));
        if (away >= best) return;
        best = away;
        const form = AXES[this.axis];
        text = [phase.name, phase.hkl ? phase.hkl[k] : "", "at " + (form ? `${t.toFixed(form.digits)} ${form.unit}` : short(t, 6))].filter(Boolean).join(" ");
      });
    });
    return text;
  }

  listen() {
    const place = (event) => event.clientX - this.box.getBoundingClientRect().left;
    const inside = (p) => Math.min(Math.max(p, this.place.left), this.place.right);
    this.box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.place) return;
      this.box.focus({ preventScroll: true });
      this.drag = { from: inside(place(event)), to: inside(place(event)) };
      this.box.setPointerCapture(event.pointerId);
    });
    this.box.addEventListener("pointermove", (event) => {
      if (!this.place) return;
      if (this.drag) {
        this.drag.to = inside(place(event));
        this.drawOver();
      } else {
        const p = place(event);
        this.point(p < this.place.left || p > this.place.right ? null : this.nearest(this.unpx(p)));
      }
    });
    this.box.addEventListener("pointerup", () => {
      const drag = this.drag;
      this.drag = null;
      if (drag && Math.abs(drag.to - drag.from) > 5) {
        const ends = [this.unpx(drag.from), this.unpx(drag.to)];
        this.view(Math.min(...ends), Math.max(...ends));
      } else this.drawOver();
    });
    this.box.addEventListener("pointercancel", () => ((this.drag = null), this.drawOver()));
    this.box.addEventListener("pointerleave", () => !this.drag && this.point(null));
    this.box.addEventListener("dblclick", () => this.reset());
    this.box.addEventListener("wheel", (event) => {
      // A page of many plots must scroll: the wheel zooms in the plot that was chosen.
      if (!event.ctrlKey && document.activeElement !== this.box) return;
      event.preventDefault();
      this.zoom(Math.exp(Math.sign(event.deltaY) * 0.25), this.unpx(inside(place(event))));
    }, { passive: false });
    this.box.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [low, high] = this.range;
    const side = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (side && event.shiftKey) this.view(low + (side * (high - low)) / 5, high + (side * (high - low)) / 5);
    else if (side) this.step(side);
    else if (event.key === "+" || event.key === "=") this.zoom(0.5);
    else if (event.key === "-") this.zoom(2);
    else if (event.key === "0" || event.key === "Home") this.reset();
    else if (event.key === "Escape") this.point(null);
    else if (event.key === "u" && this.unexplained.length) {
      this.stray = ((this.stray === undefined ? -1 : this.stray) + 1) % this.unexplained.length;
      this.show(this.data.unexplained[this.stray][0]);
    } else return;
    event.preventDefault();
  }

  // One pixel or one point, whichever is more.
  step(side) {
    const [first, last] = this.window();
    const by = Math.max(1, Math.round((last - first) / (this.place.right - this.place.left)));
    const start = this.cursor === null ? this.nearest((this.range[0] + this.range[1]) / 2) : this.cursor;
    const next = Math.min(Math.max(start + (this.flipped ? -side : side) * by, 0), this.data.n - 1);
    this.point(next);
    const x = this.x[next], wide = this.range[1] - this.range[0];
    if (x < this.range[0]) this.view(x - wide / 4, x + (3 * wide) / 4);
    if (x > this.range[1]) this.view(x - (3 * wide) / 4, x + wide / 4);
  }

  save() {
    this.canvas.toBlob((blob) => {
      const link = make("a");
      link.href = URL.createObjectURL(blob);
      link.download = "peakwise.png";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
}

function fit(canvas, width, height) {
  const dense = Math.max(window.devicePixelRatio || 1, document.documentElement.classList.contains("print") ? 2 : 1);
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  const pen = canvas.getContext("2d");
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

function stroke(pen, colour, points) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.stroke();
}

function cut(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let n = text.length;
  while (n > 1 && pen.measureText(text.slice(0, n) + "…").width > width) n--;
  return text.slice(0, n) + "…";
}

function inks(node) {
  const style = getComputedStyle(node);
  const get = (name) => style.getPropertyValue("--" + name).trim();
  const ink = { phases: [] };
  for (const name of ["paper", "text", "soft", "grid", "axis", "band", "observed", "rest", "alert", "why", "select"]) ink[name] = get(name);
  for (let i = 0; i < 8; i++) ink.phases.push(get("c" + i));
  return ink;
}
