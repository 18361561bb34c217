// Spectrum of slow points: eigenvalues of the Jacobian of one step, with the part around 1 enlarged.

import { byClass, rowsOf, study } from "./data.js";
import { classText, number } from "./labels.js";
import { NOT_HERE, axis, chosenLast, colourOf, layoutOf, opacityOf } from "./panels.js";

const ANGLES = Array.from({ length: 181 }, (_, index) => (index * Math.PI) / 90);
const INSET = { xaxis: "x2", yaxis: "y2" };

const modulus = (row) => Math.hypot(row.real, row.imag);

export function spectrum(choice) {
  const eigenvalues = byClass(rowsOf("spectrum", choice));
  if (!eigenvalues.size) return { note: NOT_HERE };
  const points = new Map(rowsOf("slow_points", choice).map((point) => [point.label, point]));
  const traces = [circle(1, "x", "y", "solid"), circle(1, "x2", "y2", "solid"), circle(study.lasting, "x", "y", "dot")];
  for (const [label, rows] of chosenLast(choice, eigenvalues)) {
    const unstable = points.get(label)?.n_unstable ?? "–";
    traces.push(eigenvalueTrace(choice, label, rows, unstable));
    traces.push({ ...eigenvalueTrace(choice, label, rows.filter(isNearOne), unstable), ...INSET });
  }
  const reach = Math.max(1.12, ...[...eigenvalues.values()].flat().map((row) => 1.05 * modulus(row)));
  return { traces, layout: spectrumLayout(choice, reach) };
}

const circle = (radius, xaxis, yaxis, dash) => ({
  x: ANGLES.map((angle) => radius * Math.cos(angle)),
  y: ANGLES.map((angle) => radius * Math.sin(angle)),
  type: "scatter",
  mode: "lines",
  xaxis,
  yaxis,
  hoverinfo: "skip",
  line: { color: study.grey, width: 0.8, dash },
});

function isNearOne({ real, imag }) {
  const [low, high] = study.near;
  return real > low && real < high && Math.abs(imag) < (high - low) / 2;
}

function eigenvalueTrace(choice, label, rows, unstable) {
  const hoverText = (row) =>
    `${classText(choice, label)}, eigenvalue ${number(row.real)} ${row.imag < 0 ? "−" : "+"} ${number(Math.abs(row.imag))}i` +
    `<br>modulus ${number(modulus(row))} per frame<br>${unstable} unstable directions at this point`;
  return {
    x: rows.map((row) => row.real),
    y: rows.map((row) => row.imag),
    type: "scatter",
    mode: "markers",
    meta: { label },
    opacity: choice.label === null ? 0.6 : opacityOf(choice, label),
    hoverinfo: "text",
    hovertext: rows.map(hoverText),
    marker: {
      color: rows.map((row) => (modulus(row) > 1 ? study.unstable : colourOf(choice, label))),
      symbol: rows.map((row) => (modulus(row) > 1 ? "diamond" : "circle")),
      size: choice.label === label ? 6 : 4,
    },
  };
}

function spectrumLayout(choice, reach) {
  const [low, high] = study.near;
  const range = [-reach, reach];
  const inset = {
    showticklabels: false,
    showgrid: false,
    zeroline: false,
    ticks: "",
    showline: true,
    mirror: true,
    linecolor: study.grey,
  };
  return layoutOf(
    choice,
    axis("real part", { range, constrain: "domain", domain: [0.4, 1] }),
    axis("imaginary part", { range, scaleanchor: "x", constrain: "domain" }),
    {
      xaxis2: { ...inset, domain: [0.0, 0.26], anchor: "y2", range: [low, high] },
      yaxis2: { ...inset, domain: [0.0, 0.42], anchor: "x2", range: [(low - high) / 2, (high - low) / 2] },
    },
  );
}
