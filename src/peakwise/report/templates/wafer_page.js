// The page of a library: the figures of what is new, with regions in the place of answers.
class Spread extends Cloud {
  constructor(data, columns) {
    columns.group = Float32Array.from({ length: data.n + data.k }, (_, i) => data.regionOf[i] ?? NaN);
    super(data, columns);
  }

  list() {
    const { scoreName } = this.data, groups = ["group", "region", this.data.groups];
    const rest = super.list().filter(([key]) => !["answer", "group", "p"].includes(key));
    return [groups, ...rest.map(([key, title, labels]) => [key, key === "score" ? scoreName : title, labels])];
  }

  rows(i, by) {
    const { data, columns } = this, score = columns.score[i];
    const rows = super.rows(i, by).filter(([name]) => !["answer", "score", "p-value", "nearest"].includes(name));
    rows.splice(1, 0, ["region", String(data.regionOf[i])], ...(isFinite(score) ? [[data.scoreName, short(score, 3)]] : []));
    return rows.map(([name, value]) => [name === "scan" ? "pattern" : name, value]);
  }
}

class Regions extends Violin {
  constructor(figure, cloud) {
    super(figure, cloud);
    this.by = "group";
  }

  labels() {
    return ["", this.cloud.data.scoreName];
  }

  below(_, patterns, room) {
    return room > 70 ? `${patterns} patterns` : `${patterns}`;
  }
}

class Ratio extends Mixing {
  constructor(figure, cloud) {
    super(figure, cloud);
    this.by = "group";
  }

  labels() {
    return ["mixing ratio", this.cloud.data.scoreName];
  }
}

const drawn = new Map();
let all = null; // the cloud is unpacked once
const cloud = () => all || (all = Spread.of(read("data-cloud")));
const load = loadBy({
  latent: async (figure) => new Latent(figure, await cloud()),
  library: async (figure) => new Library(figure, await cloud()),
  violin: async (figure) => new Regions(figure, await cloud()),
  mixing: async (figure) => new Ratio(figure, await cloud()),
}, drawn);
drawOnSight(load, () => [...document.querySelectorAll("figure.plot")].find((f) => !drawn.has(f)));
redrawWhere(() => figures.forEach((figure) => figure.draw()));
