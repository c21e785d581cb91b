// Two patterns over each other, their difference, and numbered peaks: the means before and behind a boundary.
const SPLIT = 0.6; // of the height, for the two patterns

class Changes extends Panel {
  constructor(figure, data, columns) {
    super(figure, 380, figure.dataset.label + " Arrow keys move the cursor, 0 shows all.");
    Object.assign(this, { data, columns });
    this.positions = columns.x;
    this.difference = columns.behind.map((v, i) => v - columns.before[i]);
    this.words = data.words || { first: "before", second: "after", change: "change", rest: "after − before", intensity: "mean intensity" };
    this.scale = data.scale || "sqrt";
    this.room = 0.06; // above the highest point
    this.wide = data.words ? [2.8, 1.1] : [1.3, 1.3]; // where a scan is as what is known of it, both are seen
    this.cursor = null;
    this.useAxis(data.kind);
    this.choice("scale", ["linear", "sqrt", "log"], (s) => SCALES[s].label, (s) => (this.scale = s), "Intensity scale", this.scale);
    this.choice("axis", axesOf(data.kind, data.wavelength), (a) => (AXES[a] ? AXES[a].symbol : a), (a) => this.useAxis(a), "Axis", data.kind);
    this.button("reset", "show the whole pattern", () => this.reset());
    this.button("save PNG", "save this view as a picture", () => this.save(data.words ? "peakwise-scan.png" : "peakwise-change.png"));
    this.listenAlong();
    this.start();
  }

  show(x) {
    const at = convert(x, this.data.kind, this.axis, this.data.wavelength);
    const wide = (this.full[1] - this.full[0]) / 24;
    this.view(at - wide, at + wide);
    this.draw();
    this.point(this.nearest(at));
  }

  point(i) {
    this.cursor = i;
    this.drawOver();
  }

  draw() {
    const { pen, width, height } = this.blank();
    if (!pen) return;
    const bottom = height - 40;
    this.place = { left: 66, right: width - 14, top: 26, middle: 26 + SPLIT * (bottom - 26), bottom };
    const { left, right, top, middle } = this.place;
    const [first, last] = this.window();
    const up = this.scale === "log" ? (v) => Math.log10(Math.max(v, 1e-30)) : SCALES[this.scale].up;
    const down = SCALES[this.scale].down;
    let low = Infinity, high = -Infinity, least = Infinity, most = 0;
    for (let i = first; i <= last; i++) {
      most = Math.max(most, Math.abs(this.difference[i]) || 0);
      for (const c of [this.columns.before, this.columns.behind]) {
        if (!isFinite(c[i])) continue;
        [low, high] = [Math.min(low, c[i]), Math.max(high, c[i])];
        if (c[i] > 0) least = Math.min(least, c[i]);
      }
    }
    if (this.scale === "log") low = isFinite(least) ? least : 1;
    else low = Math.min(low, 0);
    if (!(high > low)) high = low + 1;
    const [a, b] = [up(low), up(high) + this.room * (up(high) - up(low))];
    this.py = (v) => middle - 6 - ((up(this.scale === "log" ? Math.max(v, low) : v) - a) / (b - a)) * (middle - 6 - top);
    this.pd = (v) => (middle + bottom) / 2 + 4 - (v / (most || 1)) * ((bottom - middle) / 2 - 26);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const values = this.scale === "log" || this.scale === "sqrt" ? decadeTicks(low, high, this.py, 22) : linearTicks(low, high, 5);
    for (const v of values) {
      const y = Math.round(this.py(v)) + 0.5;
      stroke(pen, this.ink.grid, [[left, y], [right, y]]);
      pen.fillStyle = this.ink.soft;
      pen.fillText(short(v), left - 7, y);
    }
    pen.fillStyle = this.ink.band;
    pen.fillRect(left, middle, right - left, bottom - middle);
    stroke(pen, this.ink.axis, [[left, Math.round(this.pd(0)) + 0.5], [right, Math.round(this.pd(0)) + 0.5]]);
    pen.fillStyle = this.ink.soft;
    const end = short(Number(most.toPrecision(2)));
    for (const [text, v] of [["+" + end, most], ["0", 0], ["−" + end, -most]]) pen.fillText(text, left - 7, this.pd(v));
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, right - left, bottom);
    pen.clip();
    this.curve(pen, this.columns.before, this.py, this.inkOf(0), this.wide[0]);
    this.curve(pen, this.columns.behind, this.py, this.inkOf(1), this.wide[1]);
    this.curve(pen, this.difference, this.pd, this.ink.rest, 1.2);
    this.peaks(pen);
    pen.restore();
    this.ruler(pen, bottom, true);
    pen.textBaseline = "top";
    pen.textAlign = "left";
    pen.fillStyle = this.ink.text;
    pen.fillText(`${this.words.intensity}${this.data.intensity ? ` [${this.data.intensity}]` : ""}${{ sqrt: ", √ scale", log: ", log scale", linear: "" }[this.scale]}`, 4, 4);
    pen.fillStyle = this.ink.soft;
    pen.fillText(this.words.rest, left + 6, middle + 5);
    this.drawOver();
  }

  inkOf(k) {
    return this.data.states[k] < 0 ? this.ink.observed : this.ink.phases[this.data.states[k] % 8];
  }

  peaks(pen) {
    pen.textAlign = "center";
    pen.font = "600 11px system-ui, sans-serif";
    const few = this.data.peaks.length <= 40;
    this.data.peaks.forEach((peak, k) => {
      const x = this.px(convert(peak.at, this.data.kind, this.axis, this.data.wavelength));
      if (x < this.place.left - 5 || x > this.place.right + 5) return;
      const i = this.nearest(this.unpx(x));
      const rises = this.difference[i] > 0;
      const y = this.pd(this.difference[i]) + (rises ? -4 : 4), side = rises ? -1 : 1;
      pen.fillStyle = this.ink.alert;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x - 4, y + 7 * side);
      pen.lineTo(x + 4, y + 7 * side);
      pen.closePath();
      pen.fill();
      pen.textBaseline = rises ? "bottom" : "top";
      if (few) pen.fillText(String(k + 1), x, y + 8 * side);
    });
    pen.font = "12px system-ui, sans-serif";
  }

  drawOver() {
    const pen = fit(this.over, this.box.clientWidth, this.box.clientHeight);
    this.tip.hidden = true;
    if (!this.place) return;
    const { left, right, top, bottom } = this.place;
    if (this.drag) {
      const ends = [this.drag.from[0], this.drag.to[0]].map((x) => Math.min(Math.max(x, left), right));
      pen.fillStyle = this.ink.select;
      pen.fillRect(Math.min(...ends), top, Math.abs(ends[1] - ends[0]), bottom - top);
      return;
    }
    if (this.cursor === null) return;
    const x = Math.round(this.px(this.x[this.cursor])) + 0.5;
    if (x < left || x > right) return;
    stroke(pen, this.ink.soft, [[x, top], [x, bottom]]);
    const i = this.cursor;
    const rows = [[this.words.first, short(this.columns.before[i], 4)], [this.words.second, short(this.columns.behind[i], 4)], [this.words.change, short(this.difference[i], 3)]];
    const near = this.data.peaks.findIndex((p) => Math.abs(this.px(convert(p.at, this.data.kind, this.axis, this.data.wavelength)) - x) < 6);
    if (near >= 0) rows.push(["peak", `${near + 1}, ${this.data.peaks[near].what}`]);
    this.told = this.showTip([...this.positionText(i), ...rows], x, top + 60);
  }
}
