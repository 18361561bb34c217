// Formation over training: slow points at each snapshot, and births of memories.

import { AS_TRAINED, byClass, rowsOf } from "./data.js";
import { UNIT, classText, number } from "./labels.js";
import {
  NOT_HERE,
  asTrained,
  axis,
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

export function formation(choice) {
  const network = asTrained(choice);
  const tracks = byClass(rowsOf("formation", network));
  if (!tracks.size) return { note: NOT_HERE };
  const speeds = [...tracks.values()].flat().map((row) => drawnSpeed(row.speed));
  const traces = [
    ...chosenLast(choice, tracks).flatMap(([label, track]) => trackTraces(choice, label, track)),
    ...chosenLast(choice, byClass(rowsOf("births", network))).map(([label, births]) =>
      birthTrace(choice, label, births),
    ),
  ];
  const layout = layoutOf(choice, axis("training step", { rangemode: "tozero" }), logAxis(`speed (${UNIT})`, speeds), {
    shapes: rowsOf("changes", network).map((change) => verticalLine(change.step)),
  });
  return {
    traces,
    layout,
    note: choice.mode === AS_TRAINED ? "" : "From the training that preceded this fine-tuning.",
  };
}

// The complete track, faint, and above it the part since the birth of the memory.
function trackTraces(choice, label, track) {
  const hoverText = (row) =>
    `${classText(choice, label)}, step ${row.step}<br>speed ${number(row.speed)} ${UNIT}` +
    (row.born ? "" : "<br>not yet a memory");
  const trace = (rows, width) => {
    const x = rows.map((row) => row.step);
    const y = rows.map((row) => drawnSpeed(row.speed));
    return classLine(choice, label, x, y, { hovertext: rows.map(hoverText), line: { width } });
  };
  const born = track.map((row) => (row.born ? row : { ...row, speed: null }));
  return [
    { ...trace(track, 0.9), opacity: isShown(choice, label) ? 0.3 : 0.06 },
    trace(born, choice.label === label ? 2.6 : 1.6),
  ];
}

function birthTrace(choice, label, births) {
  const color = colourOf(choice, label);
  const hoverText = (birth) =>
    `${classText(choice, label)} born at step ${birth.step}` +
    (birth.merged
      ? `<br>from a point shared with ${classText(choice, birth.from_label)}`
      : "<br>apart from other points") +
    `<br>speed ${number(10 ** birth.log10_speed)} ${UNIT}`;
  return {
    x: births.map((birth) => birth.step),
    y: births.map((birth) => drawnSpeed(10 ** birth.log10_speed)),
    type: "scatter",
    mode: "markers",
    meta: { label },
    opacity: opacityOf(choice, label),
    hoverinfo: "text",
    hovertext: births.map(hoverText),
    marker: { size: 7, color: births.map((birth) => (birth.merged ? "#fff" : color)), line: { color, width: 1.6 } },
  };
}
