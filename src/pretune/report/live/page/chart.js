"use strict";
// One small chart: a line of what was measured while training, dots of what was measured on held-out rows.

const SVG = "http://www.w3.org/2000/svg";
const FRAME = { left: 52, right: 474, top: 12, bottom: 214 };
const MOST_POINTS = 400; // of a line: more are not to be told apart

function put(parent, name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function shown(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 0.095 ? value.toPrecision(3) : value.toFixed(3);
}

/** Average neighbours, so that a line has few points and no needle of a single batch. */
function thinned(points) {
  const size = Math.max(1, Math.ceil(points.length / MOST_POINTS)), found = [];
  let mean = null;
  for (let start = 0; start < points.length; start += size) {
    const part = points.slice(start, start + size);
    const y = part.reduce((sum, point) => sum + point[1], 0) / part.length;
    mean = mean === null ? y : 0.9 * mean + 0.1 * y;
    found.push([part[part.length - 1][0], mean]);
  }
  return found;
}

/** Draw phases, [{name, start, line: [[x, y]], dots: [[x, y]]}], x in updates since the beginning. */
function drawChart(svg, title, phases, range, isSmoothed = true) {
  svg.replaceChildren();
  const measured = phases.map((phase) => phase.line.filter((point) => Number.isFinite(point[1])));
  const lines = isSmoothed ? measured.map(thinned) : measured;
  const dots = phases.map((phase) => phase.dots.filter((point) => Number.isFinite(point[1])));
  const all = [...lines, ...dots].flat();
  const last = dots.flat().at(-1);
  put(svg, "title", {}, `${title}: ${last ? `last on held-out rows ${shown(last[1])} after ${last[0]} updates` : "nothing held out yet"}`);
  if (!all.length) return;
  let [low, high] = range || [Math.min(...all.map((point) => point[1])), Math.max(...all.map((point) => point[1]))];
  if (high - low < 1e-9) [low, high] = [low - 0.5, high + 0.5];
  const right = Math.max(1, ...all.map((point) => point[0]));
  const x = (value) => FRAME.left + (value / right) * (FRAME.right - FRAME.left);
  const y = (value) => FRAME.bottom - ((value - low) / (high - low)) * (FRAME.bottom - FRAME.top);
  for (let tick = 0; tick <= 4; tick += 1) {
    const value = low + (tick / 4) * (high - low);
    put(svg, "line", { class: tick ? "grid" : "axis", x1: FRAME.left, x2: FRAME.right, y1: y(value), y2: y(value) });
    put(svg, "text", { x: FRAME.left - 6, y: y(value) + 4, "text-anchor": "end" }, shown(value));
  }
  put(svg, "text", { x: FRAME.right, y: FRAME.bottom + 20, "text-anchor": "end" }, `${Math.round(right)} updates`);
  phases.forEach((phase, number) => {
    if (number) put(svg, "line", { class: "grid", x1: x(phase.start), x2: x(phase.start), y1: FRAME.top, y2: FRAME.bottom });
    if (phases.length > 1) put(svg, "text", { x: x(phase.start) + 4, y: FRAME.top + 2 }, phase.name);
    const path = (points) => points.map((point) => `${x(point[0]).toFixed(1)},${y(point[1]).toFixed(1)}`).join(" ");
    put(svg, "polyline", { class: "train", points: path(lines[number]) });
    put(svg, "polyline", { class: "joined", points: path(dots[number]) });
    for (const point of dots[number]) put(svg, "circle", { class: "held", r: 3.5, cx: x(point[0]), cy: y(point[1]) });
  });
}
