// Canvas, ink and elements: what every plot needs.
function make(name, css, text) {
  const node = document.createElement(name);
  if (css) node.className = css;
  if (text !== undefined) node.textContent = text;
  return node;
}

function fit(canvas, width, height) {
  const dense = Math.max(window.devicePixelRatio || 1, document.documentElement.classList.contains("print") ? 2 : 1);
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  const pen = canvas.getContext("2d");
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

function stroke(pen, colour, points) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.stroke();
}

function cut(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let n = text.length;
  while (n > 1 && pen.measureText(text.slice(0, n) + "…").width > width) n--;
  return text.slice(0, n) + "…";
}

function inks(node) {
  const style = getComputedStyle(node);
  const get = (name) => style.getPropertyValue("--" + name).trim();
  const ink = { phases: [] };
  for (const name of ["paper", "text", "soft", "grid", "axis", "band", "observed", "rest", "alert", "why", "select"]) ink[name] = get(name);
  for (let i = 0; i < 8; i++) ink.phases.push(get("c" + i));
  return ink;
}
