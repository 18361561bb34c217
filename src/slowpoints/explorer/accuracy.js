// Accuracy against delay, for each class and for all together.

import { byClass, rowsOf, study } from "./data.js";
import { classText, fraction } from "./labels.js";
import { NOT_HERE, axis, chosenLast, classLine, colourOf, layoutOf } from "./panels.js";

const TICKS = [4, 10, 19, 50, 100, 200, 500, 1000, 2000, 5000];

export function accuracy(choice) {
  const overall = rowsOf("accuracy", choice);
  if (!overall.length) return { note: NOT_HERE };
  const traces = [];
  for (const [label, rows] of chosenLast(choice, byClass(rowsOf("by_class", choice)))) {
    if (choice.label === label) traces.push(band(rows, `${colourOf(choice, label)}33`));
    const line = { width: choice.label === label ? 2.4 : 1 };
    traces.push(
      classLine(choice, label, ...curve(rows), {
        hovertext: rows.map((row) => hoverText(classText(choice, label), row)),
        line,
      }),
    );
  }
  traces.push(band(overall, "rgba(0,0,0,0.16)"));
  const [x, y] = curve(overall);
  traces.push({
    x,
    y,
    type: "scatter",
    mode: "lines",
    line: { color: "#222", width: 2.6 },
    hoverinfo: "text",
    hovertext: overall.map((row) => hoverText("all classes", row)),
  });
  const layout = layoutOf(
    choice,
    axis("delay (frames)", { type: "log", tickvals: TICKS }),
    axis("retrieval accuracy", { range: [0, 1.04] }),
    marks(1 / study.classes[choice.dataset]),
  );
  return { traces, layout };
}

const curve = (rows) => [rows.map((row) => row.delay), rows.map((row) => row.accuracy)];

const hoverText = (who, row) =>
  `${who}, delay ${row.delay} frames<br>accuracy ${fraction(row.accuracy)} ` +
  `[${fraction(row.low)}, ${fraction(row.high)}], ${row.n_trials} trials`;

// The interval around a curve: along its upper end and back along its lower.
function band(rows, fillcolor) {
  const back = [...rows].reverse();
  return {
    x: [...rows, ...back].map((row) => row.delay),
    y: [...rows.map((row) => row.high), ...back.map((row) => row.low)],
    type: "scatter",
    mode: "lines",
    fill: "toself",
    fillcolor,
    line: { width: 0 },
    hoverinfo: "skip",
  };
}

// The delays of training, shaded, and accuracy at chance.
function marks(chance) {
  const [x0, x1] = study.trained_delays;
  const line = { color: study.grey, width: 0.8, dash: "dot" };
  return {
    shapes: [
      {
        type: "rect",
        xref: "x",
        yref: "paper",
        x0,
        x1,
        y0: 0,
        y1: 1,
        fillcolor: study.shade,
        line: { width: 0 },
        layer: "below",
      },
      { type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: chance, y1: chance, line },
    ],
    annotations: [
      {
        xref: "paper",
        yref: "y",
        x: 0.01,
        y: chance,
        xanchor: "left",
        yanchor: "bottom",
        text: "chance",
        showarrow: false,
        font: { size: 10 },
      },
    ],
  };
}
