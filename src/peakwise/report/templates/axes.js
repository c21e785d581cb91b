// Positions: two_theta, q and d, as Bragg's law has them. Other axes stay what they are.
const AXES = {
  two_theta: { symbol: "2θ", unit: "°", digits: 3, label: "2θ [deg]" },
  q: { symbol: "q", unit: "Å⁻¹", digits: 4, label: "q [1/Å]" },
  d: { symbol: "d", unit: "Å", digits: 4, label: "d [Å]" },
};

function toQ(x, kind, wavelength) {
  if (kind === "q") return x;
  if (kind === "d") return (2 * Math.PI) / x;
  return (4 * Math.PI * Math.sin((x * Math.PI) / 360)) / wavelength;
}

function fromQ(q, kind, wavelength) {
  if (kind === "q") return q;
  if (kind === "d") return (2 * Math.PI) / q;
  return (360 / Math.PI) * Math.asin((q * wavelength) / (4 * Math.PI));
}

function convert(x, from, to, wavelength) {
  return from === to ? x : fromQ(toQ(x, from, wavelength), to, wavelength);
}

// The axes that this scan can be shown on.
function axesOf(kind, wavelength) {
  if (!(kind in AXES)) return [kind];
  return Object.keys(AXES).filter((name) => name === kind || wavelength || (name !== "two_theta" && kind !== "two_theta"));
}

// The curves: deflated bytes, sorted by significance, of float32.
async function unpack(packed, names, n) {
  if (typeof DecompressionStream === "undefined") throw new Error("this browser is too old (2023 or newer is needed)");
  const text = atob(packed);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const total = planes.length / 4;
  const sorted = new Uint8Array(planes.length);
  for (let k = 0; k < 4; k++) for (let i = 0; i < total; i++) sorted[4 * i + k] = planes[k * total + i];
  const view = new DataView(sorted.buffer);
  const columns = {};
  names.forEach((name, c) => {
    const column = new Float32Array(n);
    for (let i = 0; i < n; i++) column[i] = view.getFloat32(4 * (c * n + i), true);
    columns[name] = column;
  });
  return columns;
}
