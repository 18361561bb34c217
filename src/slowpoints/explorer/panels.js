// Helpers shared by the panels. A panel is a function of the choice that returns Plotly's traces and layout, or a note
// on missing data.

import { AS_TRAINED, nameOf, study } from "./data.js";

export const NOT_HERE = "The tables of this study hold no such data for this network.";
export const FAINT = 0.13; // opacity of classes that are not chosen

export const asTrained = (choice) => ({ ...choice, mode: AS_TRAINED });
export const colourOf = (choice, label) => study.colours[choice.dataset][label];
export const isShown = (choice, label) => choice.label === null || choice.label === label;
export const opacityOf = (choice, label) => (isShown(choice, label) ? 1 : FAINT);
export const drawnSpeed = (speed) => (speed === null ? null : Math.max(speed, study.least_speed));

// Classes with the chosen one last, so that it is drawn on top.
export const chosenLast = (choice, classes) =>
  [...classes].sort(([one], [other]) => (one === choice.label) - (other === choice.label));

export const axis = (title, more = {}) => ({
  title: { text: title, font: { size: 11 }, standoff: 6 },
  tickfont: { size: 10 },
  gridcolor: "#eee",
  zeroline: false,
  linecolor: "#999",
  automargin: true,
  ...more,
});

// Ticks at decades, and between them if there are few decades.
export function logAxis(title, values, more = {}) {
  const positive = values.filter((value) => value > 0);
  const wide = Math.max(...positive) > 20 * Math.min(...positive);
  return axis(title, { type: "log", exponentformat: "power", dtick: wide ? 1 : "D2", ...more });
}

export const layoutOf = (choice, xaxis, yaxis, more = {}) => ({
  xaxis,
  yaxis,
  margin: { l: 46, r: 10, t: 8, b: 36 },
  showlegend: false,
  hovermode: "closest",
  paper_bgcolor: "#fff",
  plot_bgcolor: "#fff",
  font: { family: "system-ui, sans-serif", size: 11, color: "#333" },
  hoverlabel: { font: { size: 11 }, align: "left" },
  uirevision: nameOf(choice),
  ...more,
});

// A line of a class; `meta` tells a click on it which class to choose.
export const classLine = (choice, label, x, y, more = {}) => ({
  x,
  y,
  mode: "lines",
  type: "scatter",
  hoverinfo: "text",
  meta: { label },
  opacity: opacityOf(choice, label),
  ...more,
  line: { color: colourOf(choice, label), width: 1.4, ...more.line },
});

export const verticalLine = (x) => ({
  type: "line",
  xref: "x",
  yref: "paper",
  x0: x,
  x1: x,
  y0: 0,
  y1: 1,
  layer: "below",
  line: { color: study.grey, width: 0.8, dash: "dot" },
});
