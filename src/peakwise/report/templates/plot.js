// The plot as people handle it: buttons, pointer, keys, and what is under the cursor.
class Plot extends Drawing {

  constructor(figure, data, columns, why) {
    super();
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
    this.box.style.height = `${480 + Math.max(data.phases.filter((p) => p.ticks.length).length - 3, 0) * ROW}px`;
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
    this.point(this.nearest(at), true);
  }

  nearest(value) {
    return nearestOf(this.x, this.flipped, value);
  }

  window() {
    return windowOf(this.x, this.flipped, this.range);
  }

  placeTip(x) {
    const wide = this.tip.offsetWidth;
    const right = x + 14 + wide < this.box.clientWidth;
    this.tip.style.left = `${Math.max(right ? x + 14 : x - 14 - wide, 2)}px`;
    this.tip.style.top = `${this.place.top + 4}px`;
  }

  // Under the pointer it is seen; moved by keys it is also said.
  point(i, aloud) {
    this.cursor = i;
    const told = i === null ? "" : this.tell(i);
    if (aloud) this.said.textContent = told;
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
    return rows.map((r) => r.join(" ")).join(", ");
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
    this.point(next, true);
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
