// Intensity scales: a number to a height, and the numbers that an axis shows.
const SCALES = {
  linear: { label: "linear", up: (v) => v, down: (h) => h },
  sqrt: { label: "√", up: (v) => (v < 0 ? -Math.sqrt(-v) : Math.sqrt(v)), down: (h) => (h < 0 ? -h * h : h * h) },
  log: { label: "log", up: (v) => Math.log10(v), down: (h) => Math.pow(10, h) },
};

function niceStep(span, count) {
  const rough = span / Math.max(count, 1);
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const rest = rough / power;
  return power * (rest <= 1 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10);
}

function linearTicks(low, high, count) {
  const span = high - low;
  if (!(span > 0) || !isFinite(span)) return [];
  const step = niceStep(span, count);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * span; k++) ticks.push(k * step);
  return ticks;
}

// 1, 2 and 5 of each decade, from the top, where they do not come too close.
function decadeTicks(low, high, height, gap) {
  const ticks = [];
  let last = Infinity;
  for (let power = Math.ceil(Math.log10(Math.max(high, 1e-30))); power > -30 && ticks.length < 12; power--) {
    for (const digit of [5, 2, 1]) {
      const value = digit * Math.pow(10, power);
      if (value > high || value < low) continue;
      const place = height(value);
      if (Math.abs(last - place) < gap || (low <= 0 && Math.abs(place - height(0)) < gap * 0.8)) continue;
      ticks.push(value);
      last = place;
    }
    if (Math.pow(10, power) < low) break;
  }
  if (low <= 0) ticks.push(0);
  return ticks;
}

function short(value, digits) {
  if (value === null || value === undefined || !isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e7 || size < 1e-3) {
    const [m, e] = value.toExponential(1).split("e");
    const raised = String(Number(e)).replace(/[-0-9]/g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
    return (m === "1.0" ? "" : m.replace(/\.0$/, "") + "·") + "10" + raised;
  }
  const text = size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(digits || 4)));
  return text.replace("-", "−").replace(/\B(?=(\d{3})+$)/g, size >= 10000 && !text.includes(".") ? "\u2009" : "");
}

function tickText(value, step) {
  const digits = Math.min(Math.max(-Math.floor(Math.log10(step) + 1e-9), 0), 8);
  return value.toFixed(digits).replace("-", "−");
}

// The index of the point of `x`, which rises, or falls where `flipped`, that is nearest to `value`.
function nearestOf(x, flipped, value) {
  let low = 0, high = x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (flipped ? x[middle] > value : x[middle] < value) low = middle;
    else high = middle;
  }
  return Math.abs(x[low] - value) <= Math.abs(x[high] - value) ? low : high;
}

// The first and last point between the ends of `range`, one more at each side.
function windowOf(x, flipped, range) {
  const [a, b] = range.map((v) => nearestOf(x, flipped, v));
  return [Math.max(Math.min(a, b) - 1, 0), Math.min(Math.max(a, b) + 1, x.length - 1)];
}

// The lowest and the highest number of some columns; and the same with a little room.
function ends(columns) {
  let low = Infinity, high = -Infinity;
  for (const column of columns) for (const v of column) if (isFinite(v)) (low = Math.min(low, v)), (high = Math.max(high, v));
  return [low, high];
}

function spread(columns) {
  const [low, high] = ends(columns);
  if (!(high > low)) return isFinite(low) ? [low - 0.5, low + 0.5] : [0, 1];
  const room = 0.03 * (high - low);
  return [low - room, high + room];
}
