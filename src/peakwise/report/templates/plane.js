// Scans as points of a plane: zoom, choice of colours, the scan under the pointer. Drawing is in plane_draw.js.
// A figure says where its points are (`places`), and draws what lies below them (`under`) and its axes (`frame`).
const FEW = 3000; // points in view that are drawn one by one; more become tiles
const TILE = 2; // pixels
const REACH = 14; // pixels around the pointer

class Plane extends Panel {
  constructor(figure, cloud, height, by) {
    super(figure, height, figure.dataset.label + " Arrow keys go from scan to scan, + and - zoom, 0 shows all.");
    Object.assign(this, { cloud, by, cursor: null, seen: null, isSquare: false, painted: null });
    cloud.planes.push(this);
    this.pointer(
      (x, y) => this.point(this.near(x, y)),
      (from, to, moved) => {
        const [dx, dy] = [Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
        if (moved && dx > 5 && dy > 5) this.zoom([from, to]);
        else if (!moved) this.pick(this.near(...to));
        this.draw();
      },
      () => this.point(null)
    );
    this.box.addEventListener("dblclick", () => this.reset());
    this.box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== this.box) return;
      event.preventDefault();
      this.grow(event.deltaY > 0 ? 1.25 : 0.8, this.where(event));
    }, { passive: false });
    this.box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const side = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key] || 0;
      if (side) this.step(side);
      else if (event.key === "+" || event.key === "=") this.grow(0.7);
      else if (event.key === "-") this.grow(1.4);
      else if (event.key === "0") this.reset();
      else if (event.key === "Enter") this.pick(this.cursor);
      else return;
      event.preventDefault();
    });
  }

  // Buttons that every map has; those of the map itself come before them.
  common() {
    this.menu("colour by", this.cloud.colourings.map(([key, title]) => [key, title]), this.by, (key) => (this.by = key));
    this.button("reset", "show all", () => this.reset());
    this.button("save PNG", "save this map as a picture", () => this.save(`peakwise-${this.figure.dataset.kind}.png`));
  }

  menu(title, options, now, act) {
    if (options.length < 2) return;
    const label = make("label", "menu", title + " "), list = make("select");
    for (const [value, text] of options) {
      const option = make("option", "", text);
      option.value = value;
      option.selected = value === now;
      list.append(option);
    }
    list.addEventListener("change", () => {
      act(list.value);
      this.draw();
    });
    list.dataset.menu = title;
    label.append(list);
    this.tools.append(label);
  }

  put() {
    const { x, y } = this.places();
    Object.assign(this, { xs: x, ys: y });
    const [x0, x1] = spread([x]), [y0, y1] = spread([y]);
    this.all = this.ends ? this.ends() : [x0, x1, y0, y1];
    const [dx, dy] = [0.03 * (this.all[1] - this.all[0]), 0.03 * (this.all[3] - this.all[2])];
    this.all = [this.all[0] - dx, this.all[1] + dx, this.all[2] - dy, this.all[3] + dy];
    this.seen = this.all.slice();
  }

  reset() {
    this.seen = this.all.slice();
    this.draw();
  }

  zoom([a, b]) {
    const xs = [this.unx(a[0]), this.unx(b[0])], ys = [this.uny(a[1]), this.uny(b[1])];
    this.limit([Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]);
  }

  grow(by, at) {
    const { left, right, top, bottom } = this.place;
    const [px, py] = at || [(left + right) / 2, (top + bottom) / 2];
    const [x, y] = [this.unx(px), this.uny(py)];
    const [x0, x1, y0, y1] = this.seen;
    this.limit([x - (x - x0) * by, x + (x1 - x) * by, y - (y - y0) * by, y + (y1 - y) * by]);
    this.draw();
  }

  limit([x0, x1, y0, y1]) {
    const [a, b, c, d] = this.all, least = 1e-5;
    if (x1 - x0 < least * (b - a) || y1 - y0 < least * (d - c)) return;
    this.seen = x1 - x0 >= b - a && y1 - y0 >= d - c ? this.all.slice() : [x0, x1, y0, y1];
  }

  // The nearest asked scan, else the nearest known one. One pass over all points takes a millisecond for 100,000.
  near(px, py) {
    const { kx, ky, x0, y0 } = this.to, { n, total } = this.cloud;
    let best = REACH * REACH, found = null;
    for (let i = 0; i < total; i++) {
      if (i === n && found !== null) break;
      const dx = x0 + kx * this.xs[i] - px, dy = y0 + ky * this.ys[i] - py, away = dx * dx + dy * dy;
      if (away < best) [best, found] = [away, i];
    }
    return found;
  }

  step(side) {
    const { n } = this.cloud;
    let i = this.cursor === null || this.cursor >= n ? (side > 0 ? -1 : n) : this.cursor;
    for (let tried = 0; tried < n; tried++) {
      i = (i + side + n) % n;
      if (isFinite(this.xs[i]) && isFinite(this.ys[i])) break;
    }
    this.point(i);
    this.said.textContent = this.told || "";
  }

  point(i) {
    if (i === this.cursor && i === null) return;
    this.cursor = i;
    this.drawOver();
  }

  pick(i) {
    if (i === null || i === undefined || this.cloud.isKnown(i)) return;
    this.cloud.select(i);
    this.figure.dispatchEvent(new CustomEvent("scan", { bubbles: true, detail: i }));
  }

  // Brings a scan into view and tells of it.
  show(i) {
    const [x, y] = [this.xs[i], this.ys[i]], [x0, x1, y0, y1] = this.seen;
    if (!(x >= x0 && x <= x1 && y >= y0 && y <= y1)) this.seen = this.all.slice();
    this.cloud.select(i);
    this.draw();
    this.point(i);
  }

  drawOver() {
    const width = this.box.clientWidth, height = this.box.clientHeight;
    if (!this.place || !width) return;
    const pen = fit(this.over, width, height);
    this.tip.hidden = true;
    if (this.drag) {
      const { from, to } = this.drag;
      pen.fillStyle = this.ink.select;
      pen.fillRect(from[0], from[1], to[0] - from[0], to[1] - from[1]);
      return;
    }
    for (const [i, radius] of [[this.cloud.selected, 9], [this.cursor, 7]]) {
      if (i === null || !isFinite(this.xs[i]) || !isFinite(this.ys[i])) continue;
      pen.beginPath();
      pen.arc(this.px(this.xs[i]), this.py(this.ys[i]), radius, 0, 7);
      pen.strokeStyle = this.ink.text;
      pen.lineWidth = radius > 8 ? 2.2 : 1.6;
      pen.stroke();
    }
    if (this.cursor === null) return;
    const picture = this.cloud.picture(this.cursor);
    this.told = this.showTip(this.cloud.rows(this.cursor, this.by, this), this.px(this.xs[this.cursor]), this.py(this.ys[this.cursor]), ...(picture ? [picture] : []));
  }
}
