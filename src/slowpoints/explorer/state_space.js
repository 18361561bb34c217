// State space: trials, class centres, slow points and relaxation paths in three components.

import { AS_TRAINED, byClass, rowsOf, study } from "./data.js";
import { className, classText, escaped, number } from "./labels.js";
import { FAINT, NOT_HERE, asTrained, axis, colourOf, isShown, layoutOf, opacityOf } from "./panels.js";

const PARTS = ["trials", "centres", "points", "paths", "unstable"];
const COMPONENTS = ["pc1", "pc2", "pc3"];

// `flat`: without WebGL. `turns` counts resets of the view: a new number makes Plotly forget the rotation of the
// scene.
export function stateSpace(choice, { flat, turns }) {
  const network = asTrained(choice);
  const parts = Object.fromEntries(PARTS.map((part) => [part, byClass(rowsOf(part, network))]));
  if (!parts.trials.size && !parts.points.size) return { note: NOT_HERE };
  const labels = [...Array(study.classes[choice.dataset]).keys()];
  const traces = labels.flatMap((label) => tracesOfClass(choice, label, parts, flat));
  const layout = flat
    ? layoutOf(choice, axis("PC 1 (state units)"), axis("PC 2 (state units)"))
    : sceneLayout(choice, `turned ${turns}`);
  const notes = [];
  if (!parts.paths.size) notes.push("The tables of this study hold no paths or unstable directions for this network.");
  if (choice.mode !== AS_TRAINED)
    notes.push("Shown as trained, since the tables hold no states of fine-tuned networks.");
  if (flat) notes.push("This browser has no WebGL, so only the first two components are shown.");
  return { traces, layout, note: notes.join(" ") };
}

function tracesOfClass(choice, label, parts, flat) {
  const color = colourOf(choice, label);
  const rowsOfPart = (part) => parts[part].get(label) ?? [];
  const width = (inScene) => (flat ? inScene / 2 : inScene);
  const trace = (rows, describe, more) => ({
    type: flat ? "scatter" : "scatter3d",
    meta: { label },
    hoverinfo: "text",
    mode: "lines",
    opacity: opacityOf(choice, label),
    ...coordinates(rows, flat),
    ...more,
    hovertext: rows.map(
      (row) => row && `${classText(choice, label)}, ${describe(row)}<br>${components(row)} (state units)`,
    ),
  });
  const ends = [rowsOfPart("centres")[0] ?? null, rowsOfPart("points")[0] ?? null];
  return [
    trace(interrupted(rowsOfPart("trials"), "trial"), (row) => `trial ${row.trial}, frame ${row.frame}`, {
      opacity: isShown(choice, label) ? 0.6 : FAINT,
      line: { color, width: width(1.5) },
    }),
    trace(rowsOfPart("paths"), (row) => `${row.frame} frames after the class centre, under the mean input`, {
      line: { color, width: width(3) },
    }),
    trace(interrupted(rowsOfPart("unstable"), "trial"), () => "unstable direction at the slow point", {
      line: { color: study.unstable, width: width(2) },
    }),
    trace(ends, (row) => (row === ends[1] ? "slow point" : "class centre"), {
      mode: "lines+markers+text",
      line: { color, width: width(3), dash: "dot" },
      text: ["", escaped(className(choice, label))],
      textposition: "top center",
      textfont: { size: 12, color },
      connectgaps: false,
      marker: {
        color,
        opacity: 1,
        symbol: ["circle-open", "circle"],
        size: flat ? [8, 11] : [7, 9],
        line: { color, width: 1.5 },
      },
    }),
  ].filter(({ hovertext }) => hovertext.length);
}

const coordinates = (rows, flat) =>
  Object.fromEntries(
    (flat ? ["x", "y"] : ["x", "y", "z"]).map((name, index) => [
      name,
      rows.map((row) => row?.[COMPONENTS[index]] ?? null),
    ]),
  );

const components = (row) => COMPONENTS.map((name, index) => `PC ${index + 1}: ${number(row[name])}`).join(", ");

// Rows as one line, interrupted where a field changes.
function interrupted(rows, field) {
  const line = [];
  for (const row of rows) {
    if (line.length && line[line.length - 1][field] !== row[field]) line.push(null);
    line.push(row);
  }
  return line;
}

const sceneAxis = (component) => ({
  title: { text: `PC ${component}`, font: { size: 11 } },
  showticklabels: false,
  zeroline: false,
  gridcolor: "#e8e8e8",
  showspikes: false,
  backgroundcolor: "#fff",
});

function sceneLayout(choice, uirevision) {
  const width = document.querySelector("#state_space .plot").clientWidth;
  const distance = Math.max(1, 400 / width); // so that a narrow panel also shows the names of the axes
  return {
    ...layoutOf(choice, {}, {}),
    uirevision,
    margin: { l: 0, r: 0, t: 0, b: 0 },
    scene: {
      xaxis: sceneAxis(1),
      yaxis: sceneAxis(2),
      zaxis: sceneAxis(3),
      aspectmode: "cube",
      camera: { eye: { x: 1.3 * distance, y: 1.3 * distance, z: 0.7 * distance }, center: { x: 0, y: 0, z: -0.12 } },
      uirevision,
    },
  };
}
