// All scans with whatever is known of them, and what may colour them. Asked scans come first, then the known ones.
const ANSWERS = ["known", "explained", "new"];
const KNOWN = 0, EXPLAINED = 1, NEW = 2;

class Cloud {
  static async of(data) {
    const columns = await unpack(data.packed, data.columns, data.n + data.k);
    const cloud = new this(data, columns);
    if (data.hover) {
      const { hover } = data, of = (packed) => unpack(packed, ["v"], hover.rows.length * hover.points);
      cloud.hover = {
        ...hover, x: (await unpack(hover.axis, ["x"], hover.points)).x, patterns: (await of(hover.patterns)).v,
        made: hover.known ? (await of(hover.known)).v : null, row: new Map(hover.rows.map((scan, i) => [scan, i])),
      };
    }
    if (data.regions) cloud.regions = { ...data.regions, labels: (await unpack(data.regions.packed, ["v"], data.regions.width * data.regions.height)).v };
    return cloud;
  }

  constructor(data, columns) {
    Object.assign(this, { data, columns, n: data.n, total: data.n + data.k, selected: null, planes: [], hover: null, regions: null, labels: ANSWERS });
    this.colourings = this.list();
  }

  // What points may be coloured by: [key, title, labels or null for numbers].
  list() {
    const { data, columns } = this, some = (key) => columns[key] && columns[key].some((v) => isFinite(v));
    const made = [["answer", "answer", ANSWERS]];
    if (data.groups.length) made.push(["group", "nearest phase", data.groups]);
    made.push(["score", "score", null]);
    if (some("error")) made.push(["error", "error of the reconstruction", null]);
    if (some("p")) made.push(["p", "p-value", null]);
    if (some("strongest")) made.push(["strongest", "position of the strongest peak", null]);
    if (some("mixing")) made.push(["mixing", "mixing ratio", null]);
    data.elements.forEach((name, i) => made.push([`element${i}`, `amount of ${name}`, null]));
    for (const [key, { title, labels }] of Object.entries(data.categories)) if (labels || some(key)) made.push([key, title, labels]);
    return made;
  }

  isKnown(i) {
    return i >= this.n;
  }

  name(i) {
    const { data } = this;
    if (i < this.n) return data.names[i];
    const j = data.knownNames.at[i - this.n];
    return j === undefined ? `known ${i - this.n + 1}` : data.knownNames.names[j];
  }

  // What a tip says of a point.
  rows(i, by) {
    const { data, columns } = this;
    if (this.isKnown(i)) return [["known scan", this.name(i)], ...(isFinite(columns.score[i]) ? [["score", short(columns.score[i], 3) + " without it"]] : [])];
    const reason = data.reasons.names[data.reasons.at[i]], near = data.nearest.names[data.nearest.at[i]];
    const said = columns.answer[i] === EXPLAINED ? `explained: ${reason}` : ANSWERS[columns.answer[i]];
    const limit = data.threshold === null ? "" : ` (new above ${short(data.threshold, 3)})`;
    const rows = [["scan", this.name(i)], ["answer", said], ["score", short(columns.score[i], 3) + limit]];
    if (isFinite(columns.p[i])) rows.push(["p-value", columns.p[i] < 1e-4 ? "< 0.0001" : short(columns.p[i], 2)]);
    if (near) rows.push(["nearest", near]);
    if (data.elements.length) {
      const sum = data.elements.reduce((s, _, k) => s + (columns[`element${k}`][i] || 0), 0);
      rows.push(["composition", data.elements.map((e, k) => `${e} ${short((100 * columns[`element${k}`][i]) / sum, 3)}`).join(", ") + " %"]);
    }
    const chosen = this.colourings.find(([key]) => key === by);
    if (chosen && !["answer", "group", "score", "p"].includes(by) && !by.startsWith("element")) rows.push([chosen[1], this.valueText(chosen, columns[by][i])]);
    return rows;
  }

  valueText([, , labels], value) {
    if (labels) return value >= 0 ? labels[value] : "other";
    return short(value, 4);
  }

  // The pattern of a scan over what is known of it, as a small picture; null where there is none.
  picture(i) {
    const at = this.hover && this.hover.row.get(i);
    if (at === undefined || at === null) return null;
    const { points, x, patterns, made, peaks, words } = this.hover;
    const box = make("figure", "mini"), canvas = make("canvas"), wide = 270, high = 110;
    box.append(canvas, make("figcaption", "", made ? `black: this scan, blue: ${words[0]}` : "this scan"));
    if (matchMedia("(prefers-color-scheme: dark)").matches) box.lastChild.textContent = made ? `white: this scan, blue: ${words[0]}` : "this scan";
    const pen = fit(canvas, wide, high), ink = inks(document.body);
    const rows = [made, patterns].map((table) => table && table.subarray(at * points, (at + 1) * points));
    let low = Infinity, top = -Infinity;
    for (const row of rows) if (row) for (const v of row) if (isFinite(v)) (low = Math.min(low, v)), (top = Math.max(top, v));
    // Square roots show weak peaks; what falls below zero is shown as it is.
    const up = low < 0 ? (v) => v : (v) => Math.sqrt(v);
    const floor = low < 0 ? low : 0, span = up(top) - up(floor) || 1;
    const px = (v) => ((v - x[0]) / (x[points - 1] - x[0] || 1)) * (wide - 4) + 2;
    const py = (v) => high - 3 - ((up(v) - up(floor)) / span) * (high - 14);
    rows.forEach((row, k) => {
      if (!row) return;
      pen.beginPath();
      for (let j = 0; j < points; j++) if (isFinite(row[j])) pen.lineTo(px(x[j]), py(row[j]));
      pen.strokeStyle = k ? ink.text : ink.phases[0];
      pen.lineWidth = k ? 1 : 2.6; // where both are the same, both are seen
      pen.stroke();
    });
    pen.fillStyle = ink.alert;
    for (const place of peaks[i] || []) {
      pen.beginPath();
      pen.moveTo(px(place), 8);
      pen.lineTo(px(place) - 4, 1);
      pen.lineTo(px(place) + 4, 1);
      pen.fill();
    }
    return box;
  }

  select(i) {
    this.selected = i;
    this.planes.forEach((plane) => plane.drawOver());
  }
}

// A colour of the style sheet as three numbers.
function rgbOf(text) {
  const hex = text.replace("#", "");
  return [0, 2, 4].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

// Colours of all points, three bytes each, and the key that explains them. What is high stands out, on light and on dark.
function paint(cloud, by, ink) {
  const { total, columns } = cloud;
  const [, title, labels] = cloud.colourings.find(([key]) => key === by) || cloud.colourings[0];
  const values = columns[by], bytes = new Uint8Array(3 * total), known = rgbOf(ink.axis);
  for (let i = cloud.n; i < total; i++) bytes.set(known, 3 * i);
  const put = (i, [r, g, b]) => ((bytes[3 * i] = r), (bytes[3 * i + 1] = g), (bytes[3 * i + 2] = b));
  if (labels) {
    const inks = by === "answer" ? [ink.phases[0], ink.phases[1], ink.alert] : ink.phases;
    const parts = inks.map(rgbOf), rest = rgbOf(ink.observed);
    const seen = new Set();
    for (let i = 0; i < total; i++) {
      if (!(values[i] >= 0)) {
        if (i < cloud.n) put(i, rest);
        continue;
      }
      put(i, parts[values[i]] || rest);
      seen.add(Math.min(values[i], parts.length));
    }
    const key = [...seen].sort((a, b) => a - b).map((k) => [k < inks.length ? inks[k] : ink.observed, k < inks.length ? labels[k] : `${labels.length - inks.length} others`]);
    if (cloud.total > cloud.n && by !== "group") key.push([ink.axis, "learned from"]);
    return { bytes, title, key };
  }
  const some = [];
  for (let i = 0; i < cloud.n; i++) if (isFinite(values[i])) some.push(values[i]);
  let [low, high] = [quantile(some, 0.005), quantile(some, 0.995)];
  if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
  const isDark = rgbOf(ink.paper)[0] < 128, stops = TABLES.light, rest = rgbOf(ink.observed);
  const colour = (v) => {
    const t = Math.min(Math.max((v - low) / (high - low), 0), 1), k = 3 * Math.round(255 * (isDark ? 0.2 + 0.8 * t : 0.88 * (1 - t)));
    return [stops[k], stops[k + 1], stops[k + 2]];
  };
  for (let i = 0; i < total; i++) if (isFinite(values[i])) put(i, colour(values[i]));
    else if (i < cloud.n) put(i, rest);
  return { bytes, title, low, high, colour };
}
