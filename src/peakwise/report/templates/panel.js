// What all figures of a series or of a map have: two canvases, a tip, buttons, a horizontal axis of positions.
const figures = [];

class Panel {
  constructor(figure, height, label) {
    this.figure = figure;
    this.tools = make("div", "tools");
    this.box = make("div", "box");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "application");
    this.box.setAttribute("aria-roledescription", "plot");
    this.box.setAttribute("aria-label", label);
    this.box.style.height = `${height}px`;
    this.canvas = make("canvas", "curves");
    this.over = make("canvas", "over");
    this.tip = make("div", "tip");
    this.tip.hidden = true;
    this.box.append(this.canvas, this.over, this.tip);
    this.said = make("p", "said");
    this.said.setAttribute("aria-live", "polite");
    figure.prepend(this.tools, this.box, this.said);
    this.drag = null;
    figures.push(this);
  }

  start() {
    this.draw();
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  // A clean sheet as large as the box; no pen while nothing of it is seen.
  blank() {
    const width = this.box.clientWidth, height = this.box.clientHeight;
    if (!width || !height) return { pen: null };
    const pen = fit(this.canvas, width, height);
    this.ink = inks(this.box);
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = this.ink.paper;
    pen.fillRect(0, 0, width, height);
    return { pen, width, height };
  }

  choice(what, names, text, act, label, now) {
    if (names.length < 2) return;
    const group = make("span", "group");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    group.dataset.choice = what;
    for (const name of names) {
      const button = make("button", "", text(name));
      button.type = "button";
      button.dataset.value = name;
      button.setAttribute("aria-pressed", String(name === now));
      button.addEventListener("click", () => {
        for (const b of group.children) b.setAttribute("aria-pressed", String(b === button));
        act(name);
        this.draw();
      });
      group.append(button);
    }
    this.tools.append(group);
  }

  button(text, label, act) {
    const button = make("button", "", text);
    button.type = "button";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", act);
    this.tools.append(button);
  }

  // Positions on the axis that is chosen; d falls where q rises.
  useAxis(name) {
    const { data } = this;
    const kept = this.range && this.range.map((v) => convert(v, this.axis, name, data.wavelength));
    this.axis = name;
    this.x = Float64Array.from(this.positions, (v) => convert(v, data.kind, name, data.wavelength));
    this.flipped = this.x.length > 1 && this.x[0] > this.x[this.x.length - 1];
    const ends = [this.x[0], this.x[this.x.length - 1]];
    this.full = [Math.min(...ends), Math.max(...ends)];
    if (!(this.full[1] > this.full[0])) this.full = [this.full[0] - 0.5, this.full[0] + 0.5];
    this.range = kept ? [Math.max(Math.min(...kept), this.full[0]), Math.min(Math.max(...kept), this.full[1])] : this.full.slice();
    if (!(this.range[1] > this.range[0])) this.range = this.full.slice();
  }

  px(x) {
    const { left, right } = this.place;
    return left + ((x - this.range[0]) / (this.range[1] - this.range[0])) * (right - left);
  }

  unpx(p) {
    const { left, right } = this.place;
    return this.range[0] + ((p - left) / (right - left)) * (this.range[1] - this.range[0]);
  }

  nearest(value) {
    return nearestOf(this.x, this.flipped, value);
  }

  window() {
    return windowOf(this.x, this.flipped, this.range);
  }

  view(low, high) {
    const least = (3 * (this.full[1] - this.full[0])) / Math.max(this.x.length - 1, 3);
    if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
    const wide = Math.min(high - low, this.full[1] - this.full[0]);
    low = Math.min(Math.max(low, this.full[0]), this.full[1] - wide);
    this.range = [low, low + wide];
  }

  label() {
    if (this.axis in AXES) return AXES[this.axis].label;
    return this.data.kind.replace(/_/g, " ") + (this.data.unit ? ` [${this.data.unit}]` : "");
  }

  positionText(i) {
    const { data } = this;
    const names = this.axis in AXES ? [this.axis, ...axesOf(data.kind, data.wavelength).filter((a) => a !== this.axis)] : [this.axis];
    return names.map((axis) => {
      const value = convert(this.positions[i], data.kind, axis, data.wavelength);
      const form = AXES[axis];
      return form ? [form.symbol, `${value.toFixed(form.digits)} ${form.unit}`] : [this.label(), short(value, 6)];
    });
  }

  // The numbers of the horizontal axis, below `y`.
  ruler(pen, y, hasLabel) {
    const { left, right } = this.place;
    const count = Math.max(2, Math.floor((right - left) / 90));
    const step = niceStep(this.range[1] - this.range[0], count);
    stroke(pen, this.ink.axis, [[left, y + 0.5], [right, y + 0.5]]);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const v of linearTicks(this.range[0], this.range[1], count)) {
      const x = Math.round(this.px(v)) + 0.5;
      stroke(pen, this.ink.axis, [[x, y], [x, y + 4]]);
      pen.fillStyle = this.ink.soft;
      pen.fillText(tickText(v, step), x, y + 6);
    }
    pen.fillStyle = this.ink.text;
    if (hasLabel) pen.fillText(this.label(), (left + right) / 2, y + 21);
  }

  // A curve between `first` and `last`; where points are denser than pixels, each pixel shows its lowest and highest.
  curve(pen, values, height, colour, width) {
    const [first, last] = this.window();
    const dense = last - first > 2.5 * (this.place.right - this.place.left);
    let pixel = null, low = 0, high = 0, down = true;
    const to = (x, y) => (down ? pen.moveTo(x, y) : pen.lineTo(x, y), (down = false));
    pen.beginPath();
    for (let i = first; i <= last; i++) {
      if (!isFinite(values[i])) {
        down = true;
        continue;
      }
      const x = this.px(this.x[i]), y = height(values[i]);
      if (!dense) {
        to(x, y);
        continue;
      }
      const here = Math.round(x);
      if (here !== pixel) {
        if (pixel !== null) to(pixel, low), to(pixel, high);
        pixel = here;
        low = high = y;
      }
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
    if (pixel !== null) to(pixel, low), to(pixel, high);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.stroke();
  }

  // `more` is what stands below the rows, such as a small picture.
  showTip(rows, x, y, ...more) {
    const lines = rows.map(([name, value]) => {
      const row = make("div");
      row.append(make("span", "", name), make("bdi", "", value));
      return row;
    });
    this.tip.replaceChildren(...lines, ...more);
    this.tip.hidden = false;
    const wide = this.tip.offsetWidth, high = this.tip.offsetHeight;
    this.tip.style.left = `${Math.max(x + 16 + wide < this.box.clientWidth ? x + 16 : x - 16 - wide, 2)}px`;
    this.tip.style.top = `${Math.min(Math.max(y - high / 2, 2), Math.max(this.box.clientHeight - high - 2, 2))}px`;
    return rows.map((r) => r.join(" ")).join(", ");
  }

  where(event) {
    const box = this.box.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // A rectangle is drawn with the pointer: `done` gets its corners, `move` a pointer without a button.
  pointer(move, done, leave) {
    this.box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.place) return;
      this.box.focus({ preventScroll: true });
      this.drag = { from: this.where(event), to: this.where(event) };
      this.box.setPointerCapture(event.pointerId);
    });
    this.box.addEventListener("pointermove", (event) => {
      if (!this.place) return;
      if (!this.drag) return move(...this.where(event));
      this.drag.to = this.where(event);
      this.tip.hidden = true;
      this.drawOver();
    });
    this.box.addEventListener("pointerup", () => {
      const drag = this.drag;
      this.drag = null;
      if (!drag) return;
      done(drag.from, drag.to, Math.hypot(drag.to[0] - drag.from[0], drag.to[1] - drag.from[1]) > 5);
    });
    this.box.addEventListener("pointercancel", () => ((this.drag = null), this.drawOver()));
    this.box.addEventListener("pointerleave", () => !this.drag && leave());
  }

  // A figure along the axis: the pointer leads its cursor and draws what is to be seen, and keys do the same.
  listenAlong() {
    this.pointer(
      (x) => this.point(x < this.place.left || x > this.place.right ? null : this.nearest(this.unpx(x))),
      (from, to, moved) => {
        if (moved && Math.abs(from[0] - to[0]) > 5) {
          const ends = [this.unpx(from[0]), this.unpx(to[0])];
          this.view(Math.min(...ends), Math.max(...ends));
        }
        this.draw();
      },
      () => this.point(null)
    );
    this.box.addEventListener("dblclick", () => this.reset());
    this.box.addEventListener("keydown", (event) => {
      const side = { ArrowRight: 1, ArrowLeft: -1 }[event.key] || 0;
      const [low, high] = this.range, middle = (low + high) / 2;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (side) {
        const now = this.cursor === null ? this.nearest(middle) : this.cursor;
        this.point(Math.min(Math.max(now + (this.flipped ? -side : side), 0), this.x.length - 1));
        this.said.textContent = this.told;
      } else if (event.key === "+" || event.key === "=") this.view(middle - (high - low) / 4, middle + (high - low) / 4), this.draw();
      else if (event.key === "-") this.view(middle - (high - low), middle + (high - low)), this.draw();
      else if (event.key === "0") this.reset();
      else return;
      event.preventDefault();
    });
  }

  reset() {
    this.range = this.full.slice();
    this.draw();
  }

  save(name) {
    this.canvas.toBlob((blob) => {
      const link = make("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
}
