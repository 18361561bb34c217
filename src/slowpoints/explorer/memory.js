// Speed against memory for every network of the study.

import { FIELDS, networkOf } from "./choice.js";
import { AS_TRAINED, study, summaryOf } from "./data.js";
import { UNIT, fraction, labelOf, number, titleOf } from "./labels.js";
import { NOT_HERE, axis, layoutOf } from "./panels.js";

const LEGEND_LINE = 14; // height in pixels
const LEGEND_CHARACTERS = 44; // of a line, which fit into a panel of 300 pixels

export function memory(choice) {
  const { mode, dataset } = choice;
  const [cells, missing] = gatherCells(choice);
  if (!cells.size) return { note: NOT_HERE };
  const traces = [...cells.values()].map((cell) => cellTrace(choice, cell));
  const chosen = chosenTrace(choice);
  if (chosen) traces.push(chosen);
  const lines = legendLines(cells);
  const layout = layoutOf(choice, axis(`log<sub>10</sub> speed of slow points (${UNIT})`), axis("memory score"), {
    margin: { l: 46, r: 10, t: 8 + LEGEND_LINE * lines.length, b: 36 },
    uirevision: mode === AS_TRAINED ? mode : dataset + mode,
    annotations: [legendOf(lines)],
  });
  const notes = [];
  if (missing)
    notes.push(`Not drawn: ${missing} ${missing > 1 ? "networks" : "network"} without a speed or memory score.`);
  if (mode !== AS_TRAINED) notes.push("After fine-tuning; the dotted line starts at this network before fine-tuning.");
  return { traces, layout, note: notes.join(" ") };
}

// Networks with their summaries by cell, and the number of networks that cannot be drawn.
function gatherCells({ mode, dataset }) {
  const cells = new Map();
  let missing = 0;
  for (const network of study.networks) {
    if (mode !== AS_TRAINED && network.dataset !== dataset) continue; // lambda, and therefore the mode, belongs to a data set
    const summary = summaryOf(network, mode);
    if (!hasSpeed(summary) || typeof summary.memory_score !== "number") {
      missing++;
      continue;
    }
    const cell = [network.dataset, network.architecture, network.protocol].join("/");
    if (!cells.has(cell)) cells.set(cell, []);
    cells.get(cell).push({ network, summary });
  }
  return [cells, missing];
}

function cellTrace({ mode, dataset }, cell) {
  const { dataset: ofCell, architecture, protocol } = cell[0].network;
  const symbol = study.looks.architecture[architecture].symbol;
  const hoverText = ({ network, summary }) =>
    `${titleOf({ ...network, mode })}<br>memory score ${fraction(summary.memory_score)}` +
    `<br>log10 speed ${number(summary.log10_speed)} (${UNIT})` +
    (network.learned === false ? "<br>did not learn the task" : "");
  return {
    x: cell.map(({ summary }) => summary.log10_speed),
    y: cell.map(({ summary }) => summary.memory_score),
    type: "scatter",
    mode: "markers",
    hoverinfo: "text",
    hovertext: cell.map(hoverText),
    customdata: cell.map(({ network }) => FIELDS.map((field) => network[field])),
    opacity: ofCell === dataset ? 0.85 : 0.2,
    marker: {
      size: 9,
      color: study.looks.protocol[protocol]?.colour,
      symbol: cell.map(({ network }) => symbol + (network.learned === false ? "-open" : "")),
      line: { width: 0.8, color: "#fff" },
    },
  };
}

const hasSpeed = (summary) => typeof summary?.log10_speed === "number";

// A ring around the chosen network, with a line from its point before fine-tuning; nothing if it has no speed.
function chosenTrace(choice) {
  const network = networkOf(choice);
  const last = summaryOf(network, choice.mode);
  if (!hasSpeed(last)) return null;
  const before = choice.mode !== AS_TRAINED && hasSpeed(network) ? [network] : [];
  const summaries = [...before, last];
  return {
    x: summaries.map((summary) => summary.log10_speed),
    y: summaries.map((summary) => summary.memory_score),
    type: "scatter",
    mode: "lines+markers",
    hoverinfo: "skip",
    line: { color: "#222", width: 1, dash: "dot" },
    marker: { symbol: "circle-open", size: [...before.map(() => 6), 17], color: "#222", line: { width: 2 } },
  };
}

// Lines of a legend of colours and symbols, each short enough for a narrow panel.
function legendLines(cells) {
  const names = (part) => [...new Set([...cells.keys()].map((cell) => cell.split("/")[part]))];
  const { architecture, protocol } = study.looks;
  const entries = [
    ...names(2).map((name) => ({ sign: "■", label: labelOf("protocol", name), colour: protocol[name].colour })),
    ...names(1).map((name) => ({ sign: architecture[name].sign, label: labelOf("architecture", name) })),
  ];
  const lines = [];
  let length = LEGEND_CHARACTERS;
  for (const { sign, label, colour } of entries) {
    length += label.length + 5;
    if (length > LEGEND_CHARACTERS) {
      lines.push([]);
      length = label.length + 5;
    }
    lines.at(-1).push(colour ? `<span style="color:${colour}">${sign} ${label}</span>` : `${sign} ${label}`);
  }
  return lines.map((line) => line.join("   "));
}

// The legend, above the points.
function legendOf(lines) {
  return {
    xref: "paper",
    yref: "paper",
    x: 1,
    y: 1.0,
    xanchor: "right",
    yanchor: "bottom",
    align: "right",
    showarrow: false,
    text: lines.join("<br>"),
    font: { size: 10.5 },
  };
}
