// A map of the set: each pattern a point in the colour of its state.
class Points extends Panel {
  constructor(figure, data, columns, series) {
    super(figure, 420, figure.dataset.label);
    Object.assign(this, { data, columns, series });
    this.map = 0;
    this.cursor = null;
    this.hasPath = data.isOrdered;
    const title = (name) => ({ pca: "PCA", tsne: "t-SNE", umap: "UMAP", nca: "NCA" })[name] || name;
    this.choice("map", data.maps.map((_, k) => String(k)), (k) => title(data.maps[k]), (k) => (this.map = Number(k)), "Map", "0");
    if (data.isOrdered) this.choice("path", ["path", "points"], (v) => ({ path: "with the path", points: "points only" })[v], (v) => (this.hasPath = v === "path"), "Path", "path");
    this.button("save PNG", "save this map as a picture", () => this.save("peakwise-map.png"));
    this.title = title;
    this.pointer((x, y) => this.near(x, y), () => this.cursor !== null && this.series && this.series.show(this.columns.index[this.cursor]), () => ((this.cursor = null), this.drawOver()));
    this.start();
  }

  xy(i) {
    return [this.sx(this.columns[`x${this.map}`][i]), this.sy(this.columns[`y${this.map}`][i])];
  }

  colour(i) {
    const state = this.columns.state[i];
    return state < 0 ? this.ink.observed : this.ink.phases[state % 8];
  }

  draw() {
    const { pen, width, height } = this.blank();
    if (!pen) return;
    const [x0, x1] = spread([this.columns[`x${this.map}`]]), [y0, y1] = spread([this.columns[`y${this.map}`]]);
    this.place = { left: 26, right: width - 10, top: 10, bottom: height - 26 };
    const { left, right, top, bottom } = this.place;
    this.sx = (v) => left + 8 + ((v - x0) / (x1 - x0)) * (right - left - 16);
    this.sy = (v) => bottom - 8 - ((v - y0) / (y1 - y0)) * (bottom - top - 16);
    pen.strokeStyle = this.ink.axis;
    pen.lineWidth = 1;
    pen.strokeRect(left + 0.5, top + 0.5, right - left, bottom - top);
    const { n } = this.data;
    if (this.hasPath) {
      pen.beginPath();
      for (let i = 0; i < n; i++) pen.lineTo(...this.xy(i));
      pen.strokeStyle = this.ink.axis;
      pen.globalAlpha = 0.45;
      pen.stroke();
      pen.globalAlpha = 1;
    }
    const radius = n > 2000 ? 2 : n > 500 ? 2.6 : 3.6;
    for (let i = 0; i < n; i++) {
      const [x, y] = this.xy(i);
      pen.beginPath();
      pen.arc(x, y, radius, 0, 7);
      // What is not sure is hollow.
      if (this.columns.probability[i] < 0.9) {
        pen.fillStyle = this.ink.paper;
        pen.fill();
        pen.strokeStyle = this.colour(i);
        pen.lineWidth = 1.4;
        pen.stroke();
      } else {
        pen.fillStyle = this.colour(i);
        pen.fill();
      }
    }
    pen.fillStyle = this.ink.soft;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    const name = this.title(this.data.maps[this.map]);
    pen.fillText(`${name} 1`, (left + right) / 2, bottom + 7);
    pen.save();
    pen.translate(6, (top + bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(`${name} 2`, 0, 0);
    pen.restore();
    if (this.hasPath && n > 1)
      for (const [i, text] of [[0, "first"], [n - 1, "last"]]) {
        const [x, y] = this.xy(i);
        pen.fillStyle = this.ink.text;
        pen.textAlign = x > (left + right) / 2 ? "right" : "left";
        pen.textBaseline = y > top + 24 ? "bottom" : "top";
        pen.fillText(text, x + (x > (left + right) / 2 ? -6 : 6), y + (y > top + 24 ? -4 : 4));
      }
    this.drawOver();
  }

  near(x, y) {
    let best = 14, found = null;
    for (let i = 0; i < this.data.n; i++) {
      const [a, b] = this.xy(i);
      const away = Math.hypot(a - x, b - y);
      if (away < best) [best, found] = [away, i];
    }
    this.cursor = found;
    this.drawOver();
  }

  drawOver() {
    const pen = fit(this.over, this.box.clientWidth, this.box.clientHeight);
    this.tip.hidden = true;
    if (this.cursor === null || !this.place) return;
    const [x, y] = this.xy(this.cursor);
    pen.beginPath();
    pen.arc(x, y, 7, 0, 7);
    pen.strokeStyle = this.ink.text;
    pen.lineWidth = 1.6;
    pen.stroke();
    const state = this.columns.state[this.cursor], sure = this.columns.probability[this.cursor];
    const rows = [["pattern", `${this.columns.index[this.cursor] + 1}  ${this.data.names[this.cursor]}`], [this.data.isOrdered ? "state" : "group", state < 0 ? "none" : String(state)]];
    if (isFinite(sure)) rows.push(["probability", sure > 0.9994 ? "> 0.999" : sure.toFixed(3)]);
    this.showTip(rows, x, y);
  }
}
