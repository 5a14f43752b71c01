// A run's losses as SVG, in real pixels so that letters stay readable on a phone.
const HEIGHT = 220, LEFT = 40, RIGHT = 10, TOP = 10, BOTTOM = 24;

function shape(name, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

export function ticks(least, most, about = 4) { // round numbers between two values
  const rough = (most - least) / about || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((each) => each * power >= rough) * power;
  const found = [];
  for (let value = Math.ceil(least / step) * step; value <= most + step / 1e6; value += step) found.push(+value.toPrecision(12));
  return found;
}

export function draw(svg, curve, steps) { // gives back what tells the values at a place
  const width = svg.clientWidth || 320, all = [...curve.loss, ...curve.held_out], values = all.map(([, y]) => y);
  const end = Math.max(steps, 1, ...all.map(([x]) => x)), low = Math.min(...values), high = Math.max(...values);
  const pad = (high - low) * 0.06 || 0.5;
  const x = (step) => LEFT + (step / end) * (width - LEFT - RIGHT);
  const y = (loss) => TOP + ((high + pad - loss) / (high - low + 2 * pad)) * (HEIGHT - TOP - BOTTOM);
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.replaceChildren();
  for (const value of ticks(low - pad, high + pad)) {
    svg.append(shape("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }));
    svg.append(shape("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value));
  }
  for (const step of ticks(0, end, Math.max(3, Math.floor(width / 110))).filter(Number.isInteger)) {
    const anchor = x(step) > width - 24 ? "end" : step ? "middle" : "start";
    svg.append(shape("text", { x: x(step), y: HEIGHT - 6, "text-anchor": anchor }, step));
  }
  const path = (points) => points.map(([step, loss], nth) => `${nth ? "L" : "M"}${x(step).toFixed(1)} ${y(loss).toFixed(1)}`).join("");
  svg.append(shape("path", { class: "learnt", d: path(curve.loss) }), shape("path", { class: "held", d: path(curve.held_out) }));
  for (const [step, loss] of curve.held_out) svg.append(shape("circle", { class: "held", cx: x(step), cy: y(loss), r: 3.5 }));
  const line = shape("line", { class: "here", x1: -9, x2: -9, y1: TOP, y2: HEIGHT - BOTTOM });
  svg.append(line);
  return (pixel) => {
    const step = ((pixel - LEFT) / (width - LEFT - RIGHT)) * end;
    const nearest = (points) => points.reduce((best, one) => (Math.abs(one[0] - step) < Math.abs(best[0] - step) ? one : best), points[0]);
    const learnt = nearest(curve.loss) || nearest(curve.held_out), held = nearest(curve.held_out);
    line.setAttribute("x1", x(learnt[0]));
    line.setAttribute("x2", x(learnt[0]));
    return { step: learnt[0], loss: learnt[1], held };
  };
}
