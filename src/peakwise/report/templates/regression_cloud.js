// Scans with their descriptors: values, intervals, truths. Inside what was learned from they are discs, outside triangles.
class Described extends Cloud {
  constructor(data, columns) {
    super(data, columns);
    this.labels = ["inside", "between", "outside"];
    this.colourings = this.list();
  }

  list() {
    const { data, columns } = this;
    const made = [["answer", "domain", ["inside", "between", "outside"]]];
    if (!data.targets) return made;
    data.targets.forEach((target, k) => made.push([`values${k}`, target.name, null]));
    data.more.forEach((name, k) => made.push([`column${k}`, name, null]));
    return made.filter(([key]) => columns[key].some((v) => isFinite(v)));
  }

  titled(k) {
    const { name, unit } = this.data.targets[k];
    return unit ? `${name} [${unit}]` : name;
  }

  // What a tip says of a scan: the descriptor of the figure first.
  rows(i, by, plane) {
    const { data, columns } = this, first = plane.target;
    const order = data.targets.map((_, k) => k).sort((a, b) => (b === first) - (a === first) || a - b);
    const rows = [["scan", data.names[i]]];
    for (const k of order.slice(0, 9)) rows.push([data.targets[k].name, this.told(i, k)]);
    if (order.length > 9) rows.push(["", `and ${order.length - 9} more`]);
    if (columns.answer[i] === NEW) rows.push(["domain", "outside: the interval need not hold"]);
    const chosen = this.colourings.find(([key]) => key === by);
    if (chosen && by.startsWith("column")) rows.push([chosen[1], short(columns[by][i], 4)]);
    return rows;
  }

  told(i, k) {
    const { columns } = this, unit = this.data.targets[k].unit;
    const [value, low, high, truth] = ["values", "low", "high", "truth"].map((key) => columns[key + k][i]);
    const digits = isFinite(low) && isFinite(high) && high > low ? Math.min(Math.max(Math.ceil(Math.log10(Math.max(Math.abs(value), high - low) / (high - low))) + 2, 2), 7) : 4;
    const ends = isFinite(low) && isFinite(high) ? ` (${short(low, digits)} to ${short(high, digits)})` : "";
    return `${short(value, digits)}${ends}${unit ? " " + unit : ""}${isFinite(truth) ? `, true ${short(truth, digits + 1)}` : ""}`;
  }
}
