// Numbers to colours. Sixteen stops of viridis (matplotlib, CC0) and of a pair that all eyes tell apart.
const STOPS = {
  light: ["440154", "481a6c", "472f7d", "414487", "39568c", "31688e", "2a788e", "23888e", "1f988b", "22a884", "35b779", "54c568", "7ad151", "a5db36", "d2e21b", "fde725"],
  change: ["08306b", "0b4a8f", "1764ab", "3a83c0", "68a6d5", "9ac6e6", "cbdff0", "f3f5f7", "f7f4f0", "fbd9c3", "f7b58d", "ee8c56", "dd6526", "bd4609", "933204", "662205"],
};

function table(stops) {
  const parts = stops.map((s) => [0, 2, 4].map((k) => parseInt(s.slice(k, k + 2), 16)));
  const colours = new Uint8Array(3 * 256);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (parts.length - 1);
    const k = Math.min(Math.floor(at), parts.length - 2);
    for (let c = 0; c < 3; c++) colours[3 * i + c] = Math.round(parts[k][c] + (at - k) * (parts[k + 1][c] - parts[k][c]));
  }
  return colours;
}

const TABLES = { light: table(STOPS.light), change: table(STOPS.change) };

// The value below which this share of the numbers lies; of many, some are looked at.
function quantile(values, share) {
  const step = Math.max(1, Math.floor(values.length / 40000));
  const some = [];
  for (let i = 0; i < values.length; i += step) if (isFinite(values[i])) some.push(values[i]);
  if (!some.length) return 0;
  some.sort((a, b) => a - b);
  return some[Math.min(Math.floor(share * some.length), some.length - 1)];
}
