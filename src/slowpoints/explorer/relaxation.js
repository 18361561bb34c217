// Speed along the relaxation path of each class, with its slow point at the right edge.

import { byClass, rowsOf, study } from "./data.js";
import { UNIT, classText, number } from "./labels.js";
import {
  NOT_HERE,
  chosenLast,
  classLine,
  colourOf,
  drawnSpeed,
  isShown,
  layoutOf,
  logAxis,
  opacityOf,
  verticalLine,
} from "./panels.js";

const FIRST = 1; // added to frames, so that frame 0 can be shown on a logarithmic axis
const EDGE = 1.35; // position of slow points, relative to the last frame

export function relaxation(choice) {
  const paths = byClass(rowsOf("relaxation", choice));
  const points = byClass(rowsOf("slow_points", choice));
  if (!paths.size && !points.size) return { note: NOT_HERE };
  const rows = [...paths.values()].flat();
  const edge = (Math.max(1, ...rows.map((row) => row.frame)) + FIRST) * EDGE;
  const speeds = [...rows, ...[...points.values()].flat()].map((row) => drawnSpeed(row.speed));
  const traces = [
    ...chosenLast(choice, paths).flatMap(([label, path]) => pathTraces(choice, label, path)),
    ...chosenLast(choice, points).map(([label, [point]]) => pointTrace(choice, label, point, edge)),
  ];
  const layout = layoutOf(
    choice,
    logAxis("frames under the mean input + 1", [FIRST, edge], { range: [-0.05, Math.log10(edge * 1.15)] }),
    logAxis(`speed (${UNIT})`, speeds),
    { shapes: [verticalLine(study.frames + FIRST)] },
  );
  const note = paths.size ? "" : "Only slow points: the tables of this study hold no paths for this network.";
  return { traces, layout, note };
}

// The complete path, faint, and above it the part on which the class is read out.
function pathTraces(choice, label, path) {
  const hoverText = (row) =>
    `${classText(choice, label)}, frame ${row.frame}<br>speed ${number(row.speed)} ${UNIT}<br>` +
    `readout margin ${number(row.margin)}${row.held ? "" : "<br>no longer read out"}`;
  const trace = (rows, more) => {
    const x = rows.map((row) => row.frame + FIRST);
    const y = rows.map((row) => drawnSpeed(row.speed));
    return { ...classLine(choice, label, x, y, { hovertext: rows.map(hoverText) }), ...more };
  };
  const line = { color: colourOf(choice, label), width: choice.label === label ? 2.6 : 1.5 };
  const readOut = path.filter((row) => row.held);
  return [trace(path, { opacity: isShown(choice, label) ? 0.35 : 0.06 }), trace(readOut, { line })];
}

const pointTrace = (choice, label, point, x) => ({
  x: [x],
  y: [drawnSpeed(point.speed)],
  type: "scatter",
  mode: "markers",
  meta: { label },
  opacity: opacityOf(choice, label),
  hoverinfo: "text",
  hovertext: `${classText(choice, label)}, slow point<br>speed ${number(point.speed)} ${UNIT}`,
  marker: { symbol: "line-ew", size: 12, line: { color: colourOf(choice, label), width: 2.6 } },
});
