// The panels: each gives Plotly's traces and layout for the choice, or a note on what there is not.

// The chosen class last, so that it is drawn above the others.
const chosenLast = (classes) => [...classes].sort(([one], [other]) => (one === choice.label) - (other === choice.label));

const FAINT = 0.13;
const NOT_HERE = "The tables of this study have nothing of this network here.";
const FIRST = 1; // added to frames, so that frame 0 has a place on a logarithmic axis
const EDGE = 1.35; // of the longest frame: where slow points stand
const UNIT = "per frame, state units";

const colourOf = (label) => study.colours[choice.dataset][label];
const shown = (label) => choice.label === null || choice.label === label;
const opacityOf = (label) => (shown(label) ? 1 : FAINT);
const asTrained = () => ({ ...choice, mode: AS_TRAINED });
const labelOf = (kind, name) => study.looks[kind][name]?.label ?? name;
const drawnSpeed = (speed) => (speed === null ? null : Math.max(speed, study.least_speed));
const number = (value) => (value === null || value === undefined ? "–" : Number(value.toPrecision(4)).toString().replace("-", "−"));
const share = (value) => value.toFixed(3);

function axis(title, more = {}) {
  return { title: { text: title, font: { size: 11 }, standoff: 6 }, tickfont: { size: 10 }, gridcolor: "#eee", zeroline: false,
    linecolor: "#999", automargin: true, ...more };
}

// Ticks at decades, and between them where there are few.
function logAxis(title, values, more = {}) {
  const drawn = values.filter((value) => value > 0);
  const wide = Math.max(...drawn) > 20 * Math.min(...drawn);
  return axis(title, { type: "log", exponentformat: "power", dtick: wide ? 1 : "D2", ...more });
}

function layoutOf(xaxis, yaxis, more = {}) {
  return { xaxis, yaxis, margin: { l: 46, r: 10, t: 8, b: 36 }, showlegend: false, hovermode: "closest", paper_bgcolor: "#fff",
    plot_bgcolor: "#fff", font: { family: "system-ui, sans-serif", size: 11, color: "#333" },
    hoverlabel: { font: { size: 11 }, align: "left" }, uirevision: nameOf(choice), ...more };
}

const line = (x, y, label, more = {}) => ({ x, y, mode: "lines", type: "scatter", hoverinfo: "text",
  meta: { label }, opacity: opacityOf(label), ...more, line: { color: colourOf(label), width: 1.4, ...more.line } });

const upright = (at, dash = "dot") => ({ type: "line", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1, layer: "below",
  line: { color: study.grey, width: 0.8, dash } });

// ---- state space

const PLACES = ["pc1", "pc2", "pc3"];

// Rows as one broken line, interrupted where `of` changes.
function broken(rows, of) {
  const found = [];
  for (const row of rows) {
    if (found.length && found[found.length - 1][of] !== row[of]) found.push(null);
    found.push(row);
  }
  return found;
}

function stateSpace(flat) {
  const network = asTrained();
  const parts = Object.fromEntries(["trials", "centres", "points", "paths", "unstable"].map((part) => [part, byClass(rowsOf(part, network))]));
  if (!parts.trials.size && !parts.points.size) return { note: NOT_HERE };
  const traces = [];
  const axes = flat ? { x: "pc1", y: "pc2" } : { x: "pc1", y: "pc2", z: "pc3" };
  const placed = (rows) => Object.fromEntries(Object.entries(axes).map(([at, name]) => [at, rows.map((row) => row?.[name] ?? null)]));
  const wide = (width) => (flat ? width / 2 : width);
  for (let label = 0; label < study.classes[choice.dataset]; label++) {
    const colour = colourOf(label);
    const of = (part) => parts[part].get(label) ?? [];
    const drawn = (rows, what, more) => rows.length && traces.push({ type: flat ? "scatter" : "scatter3d", meta: { label }, hoverinfo: "text",
      mode: "lines", opacity: opacityOf(label), ...placed(rows), ...more,
      hovertext: rows.map((row) => row && `class ${label}, ${what(row)}<br>` +
        PLACES.map((name, place) => `PC ${place + 1}: ${number(row[name])}`).join(", ") + " (state units)") });
    drawn(broken(of("trials"), "trial"), ({ trial, frame }) => `trial ${trial}, frame ${frame}`,
      { opacity: shown(label) ? 0.6 : FAINT, line: { color: colour, width: wide(1.5) } });
    drawn(of("paths"), ({ frame }) => `${frame} frames after its centre, under the mean input`, { line: { color: colour, width: wide(3) } });
    drawn(broken(of("unstable"), "trial"), () => "a direction in which its slow point is left",
      { line: { color: study.unstable, width: wide(2) } });
    const ends = [of("centres")[0] ?? null, of("points")[0] ?? null];
    drawn(ends, (row) => (row === ends[1] ? "slow point" : "class centre"),
      { mode: "lines+markers+text", line: { color: colour, width: wide(3), dash: "dot" }, text: ["", String(label)], textposition: "top center",
        textfont: { size: 12, color: colour }, connectgaps: false,
        marker: { color: colour, opacity: 1, symbol: ["circle-open", "circle"], size: flat ? [8, 11] : [7, 9], line: { color: colour, width: 1.5 } } });
  }
  const notes = [];
  if (!parts.paths.size) notes.push("The tables of this study have no paths and no unstable directions of this network.");
  if (choice.mode !== AS_TRAINED) notes.push("Shown as trained: states of fine-tuned networks are not in the tables.");
  if (flat) notes.push("This browser has no WebGL: the first two directions alone, which cannot be turned.");
  const away = Math.max(1, 400 / document.querySelector("#state_space .plot").clientWidth); // so that a narrow panel holds the axes' names, too
  const plain = (place) => ({ title: { text: `PC ${place}`, font: { size: 11 } }, showticklabels: false, zeroline: false,
    gridcolor: "#e8e8e8", showspikes: false, backgroundcolor: "#fff" });
  const layout = flat
    ? layoutOf(axis("PC 1 (state units)"), axis("PC 2 (state units)"))
    : { ...layoutOf({}, {}), uirevision: `turned ${turns}`, margin: { l: 0, r: 0, t: 0, b: 0 },
        scene: { xaxis: plain(1), yaxis: plain(2), zaxis: plain(3), aspectmode: "cube", camera: { eye: { x: 1.3 * away, y: 1.3 * away, z: 0.7 * away }, center: { x: 0, y: 0, z: -0.12 } },
          uirevision: `turned ${turns}` } };
  return { traces, layout, note: notes.join(" ") };
}

// ---- accuracy against delay

function accuracy() {
  const overall = rowsOf("accuracy", choice);
  if (!overall.length) return { note: NOT_HERE };
  const traces = [];
  const said = (who) => (row) => `${who}, delay ${row.delay} frames<br>accuracy ${share(row.accuracy)} ` +
    `[${share(row.low)}, ${share(row.high)}], ${row.n_trials} trials`;
  const band = (rows, fill, back = [...rows].reverse()) => ({ x: [...rows, ...back].map((row) => row.delay),
    y: [...rows.map((row) => row.high), ...back.map((row) => row.low)],
    type: "scatter", mode: "lines", fill: "toself", fillcolor: fill, line: { width: 0 }, hoverinfo: "skip" });
  for (const [label, rows] of chosenLast(byClass(rowsOf("by_class", choice)))) {
    if (choice.label === label) traces.push(band(rows, colourOf(label) + "33"));
    traces.push(line(rows.map((row) => row.delay), rows.map((row) => row.accuracy), label,
      { hovertext: rows.map(said(`class ${label}`)), line: { width: choice.label === label ? 2.4 : 1 } }));
  }
  traces.push(band(overall, "rgba(0,0,0,0.16)"));
  traces.push({ x: overall.map((row) => row.delay), y: overall.map((row) => row.accuracy), type: "scatter", mode: "lines",
    line: { color: "#222", width: 2.6 }, hoverinfo: "text", hovertext: overall.map(said("all classes")) });
  const [from, to] = study.trained_delays;
  const chance = 1 / study.classes[choice.dataset];
  const layout = layoutOf(
    axis("delay (frames)", { type: "log", tickvals: [4, 10, 19, 50, 100, 200, 500, 1000, 2000, 5000] }),
    axis("retrieval accuracy", { range: [0, 1.04] }),
    { shapes: [
        { type: "rect", xref: "x", yref: "paper", x0: from, x1: to, y0: 0, y1: 1, fillcolor: study.shade, line: { width: 0 }, layer: "below" },
        { type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: chance, y1: chance, line: { color: study.grey, width: 0.8, dash: "dot" } }],
      annotations: [{ xref: "paper", yref: "y", x: 0.01, y: chance, xanchor: "left", yanchor: "bottom", text: "chance", showarrow: false, font: { size: 10 } }] });
  return { traces, layout };
}

// ---- speed along the relaxation path

function relaxation() {
  const paths = byClass(rowsOf("relaxation", choice));
  const points = byClass(rowsOf("slow_points", choice));
  if (!paths.size && !points.size) return { note: NOT_HERE };
  const traces = [];
  const speeds = [...paths.values(), ...points.values()].flat().map((row) => drawnSpeed(row.speed));
  const last = Math.max(1, ...[...paths.values()].flat().map((row) => row.frame)) + FIRST;
  for (const [label, path] of chosenLast(paths)) {
    const said = path.map((row) => `class ${label}, frame ${row.frame}<br>speed ${number(row.speed)} ${UNIT}<br>` +
      `margin of the readout ${number(row.margin)}${row.held ? "" : "<br>no longer read out"}`);
    const drawn = (rows) => line(rows.map((row) => row.frame + FIRST), rows.map((row) => drawnSpeed(row.speed)), label, { hovertext: said });
    traces.push({ ...drawn(path), opacity: shown(label) ? 0.35 : 0.06 });
    traces.push({ ...drawn(path.filter((row) => row.held)), line: { color: colourOf(label), width: choice.label === label ? 2.6 : 1.5 } });
  }
  for (const [label, [point]] of chosenLast(points)) {
    traces.push({ x: [last * EDGE], y: [drawnSpeed(point.speed)], type: "scatter", mode: "markers", meta: { label }, opacity: opacityOf(label),
      hoverinfo: "text", hovertext: `class ${label}, slow point<br>speed ${number(point.speed)} ${UNIT}`,
      marker: { symbol: "line-ew", size: 12, line: { color: colourOf(label), width: 2.6 } } });
  }
  const layout = layoutOf(
    logAxis("frame under the mean input, + 1", [FIRST, last * EDGE], { range: [-0.05, Math.log10(last * EDGE * 1.15)] }),
    logAxis(`speed (${UNIT})`, speeds),
    { shapes: [upright(study.frames + FIRST)] });
  return { traces, layout, note: paths.size ? "" : "Slow points alone: the tables of this study have no paths of this network." };
}

// ---- speed against memory

function memory() {
  const mode = choice.mode;
  const cells = new Map();
  let unseen = 0;
  for (const network of study.networks) {
    if (mode !== AS_TRAINED && network.dataset !== choice.dataset) continue; // lambda, and so the mode, is of a data set
    const summary = summaryOf(network, mode);
    if (typeof summary?.log10_speed !== "number" || typeof summary.memory_score !== "number") {
      unseen++;
      continue;
    }
    const cell = [network.dataset, network.architecture, network.protocol].join("/");
    if (!cells.has(cell)) cells.set(cell, []);
    cells.get(cell).push({ network, summary });
  }
  if (!cells.size) return { note: NOT_HERE };
  const said = ({ network, summary }) => titleOf({ ...network, mode }) +
    `<br>memory score ${share(summary.memory_score)}<br>log10 speed ${number(summary.log10_speed)} (${UNIT})` +
    (network.learned === false ? "<br>did not learn the task" : "");
  const traces = [...cells.values()].map((found) => {
    const { dataset, architecture, protocol } = found[0].network;
    return { x: found.map(({ summary }) => summary.log10_speed), y: found.map(({ summary }) => summary.memory_score),
      type: "scatter", mode: "markers", hoverinfo: "text", hovertext: found.map(said),
      customdata: found.map(({ network }) => FIELDS.map((field) => network[field])),
      opacity: dataset === choice.dataset ? 0.85 : 0.2,
      marker: { size: 9, color: study.looks.protocol[protocol]?.colour,
        symbol: found.map(({ network }) => study.looks.architecture[architecture].symbol + (network.learned === false ? "-open" : "")),
        line: { width: 0.8, color: "#fff" } } };
  });
  const now = summaryOf(networkShown(), mode);
  if (typeof now?.log10_speed === "number") {
    const before = mode === AS_TRAINED ? null : networkShown();
    const from = typeof before?.log10_speed === "number" ? [before] : [];
    const way = [...from, now];
    traces.push({ x: way.map((at) => at.log10_speed), y: way.map((at) => at.memory_score), type: "scatter", mode: "lines+markers",
      hoverinfo: "skip", line: { color: "#222", width: 1, dash: "dot" },
      marker: { symbol: "circle-open", size: [...from.map(() => 6), 17], color: "#222", line: { width: 2 } } });
  }
  const layout = layoutOf(
    axis(`log<sub>10</sub> speed of slow points (${UNIT})`),
    axis("memory score"),
    { margin: { l: 46, r: 10, t: 22, b: 36 }, uirevision: mode === AS_TRAINED ? mode : choice.dataset + mode, annotations: keyOf(cells) });
  const notes = [];
  if (unseen) notes.push(`${unseen} without a speed or memory score ${unseen > 1 ? "are" : "is"} not drawn.`);
  if (mode !== AS_TRAINED) notes.push("As fine-tuned; the dotted line leads from this network before.");
  return { traces, layout, note: notes.join(" ") };
}

// What colours and symbols mean, in a line above the points.
function keyOf(cells) {
  const of = (place) => [...new Set([...cells.keys()].map((cell) => cell.split("/")[place]))];
  const signs = { circle: "●", "triangle-up": "▲", "triangle-down": "▼", square: "■", diamond: "◆", cross: "✚", x: "✖" };
  const text = [
    ...of(2).map((name) => `<span style="color:${study.looks.protocol[name].colour}">■ ${labelOf("protocol", name)}</span>`),
    ...of(1).map((name) => `${signs[study.looks.architecture[name].symbol]} ${labelOf("architecture", name)}`),
  ].join("   ");
  return [{ xref: "paper", yref: "paper", x: 1, y: 1.0, xanchor: "right", yanchor: "bottom", showarrow: false, text, font: { size: 10.5 } }];
}

// ---- spectrum

function spectrum() {
  const values = byClass(rowsOf("spectrum", choice));
  if (!values.size) return { note: NOT_HERE };
  const leading = new Map(rowsOf("slow_points", choice).map((point) => [point.label, point]));
  const round = Array.from({ length: 181 }, (_, step) => (step * Math.PI) / 90);
  const [low, high] = study.near;
  const circle = (radius, xaxis, yaxis, dash) => ({ x: round.map((angle) => radius * Math.cos(angle)), y: round.map((angle) => radius * Math.sin(angle)),
    type: "scatter", mode: "lines", xaxis, yaxis, hoverinfo: "skip", line: { color: study.grey, width: 0.8, dash } });
  const traces = [circle(1, "x", "y", "solid"), circle(1, "x2", "y2", "solid"), circle(study.lasting, "x", "y", "dot")];
  let reach = 1.12;
  for (const [label, rows] of chosenLast(values)) {
    const length = (row) => Math.hypot(row.real, row.imag);
    reach = Math.max(reach, ...rows.map((row) => 1.05 * length(row)));
    const drawn = (rows, more) => ({ x: rows.map((row) => row.real), y: rows.map((row) => row.imag), type: "scatter", mode: "markers",
      meta: { label }, opacity: choice.label === null ? 0.6 : opacityOf(label), hoverinfo: "text",
      hovertext: rows.map((row) => `class ${label}, eigenvalue ${number(row.real)} ${row.imag < 0 ? "−" : "+"} ${number(Math.abs(row.imag))}i` +
        `<br>modulus ${number(length(row))} per frame<br>${leading.get(label)?.n_unstable ?? "–"} unstable at this point`),
      marker: { color: rows.map((row) => (length(row) > 1 ? study.unstable : colourOf(label))),
        symbol: rows.map((row) => (length(row) > 1 ? "diamond" : "circle")), size: choice.label === label ? 6 : 4 }, ...more });
    traces.push(drawn(rows, {}));
    traces.push(drawn(rows.filter((row) => row.real > low && row.real < high && Math.abs(row.imag) < (high - low) / 2),
      { xaxis: "x2", yaxis: "y2" }));
  }
  const bare = { showticklabels: false, showgrid: false, zeroline: false, ticks: "", showline: true, mirror: true, linecolor: study.grey };
  const layout = layoutOf(
    axis("real part", { range: [-reach, reach], constrain: "domain", domain: [0.4, 1] }),
    axis("imaginary part", { range: [-reach, reach], scaleanchor: "x", constrain: "domain" }),
    { xaxis2: { ...bare, domain: [0.0, 0.26], anchor: "y2", range: [low, high] },
      yaxis2: { ...bare, domain: [0.0, 0.42], anchor: "x2", range: [(low - high) / 2, (high - low) / 2] } });
  return { traces, layout };
}

// ---- formation

function formation() {
  const network = asTrained();
  const tracks = byClass(rowsOf("formation", network));
  if (!tracks.size) return { note: NOT_HERE };
  const traces = [];
  const speeds = [...tracks.values()].flat().map((row) => drawnSpeed(row.speed));
  for (const [label, track] of chosenLast(tracks)) {
    const said = (rows) => rows.map((row) => `class ${label}, step ${row.step}<br>speed ${number(row.speed)} ${UNIT}` +
      (row.born ? "" : "<br>not yet a memory"));
    const drawn = (rows, more) => line(rows.map((row) => row.step), rows.map((row) => drawnSpeed(row.speed)), label,
      { hovertext: said(rows), ...more });
    traces.push({ ...drawn(track, { line: { width: 0.9 } }), opacity: shown(label) ? 0.3 : 0.06 });
    const memory = track.map((row) => (row.born ? row : { ...row, speed: null }));
    traces.push(drawn(memory, { line: { width: choice.label === label ? 2.6 : 1.6 } }));
  }
  for (const [label, births] of chosenLast(byClass(rowsOf("births", network)))) {
    traces.push({ x: births.map((birth) => birth.step), y: births.map((birth) => drawnSpeed(10 ** birth.log10_speed)), type: "scatter",
      mode: "markers", meta: { label }, opacity: opacityOf(label), hoverinfo: "text",
      hovertext: births.map((birth) => `class ${label} born at step ${birth.step}` +
        (birth.merged ? `<br>of a point that class ${birth.from_label} had, too` : "<br>apart from other points") +
        `<br>speed ${number(10 ** birth.log10_speed)} ${UNIT}`),
      marker: { size: 7, color: births.map((birth) => (birth.merged ? "#fff" : colourOf(label))), line: { color: colourOf(label), width: 1.6 } } });
  }
  const stages = rowsOf("changes", network);
  const layout = layoutOf(axis("training step", { rangemode: "tozero" }), logAxis(`speed (${UNIT})`, speeds),
    { shapes: stages.map((stage) => upright(stage.step)) });
  return { traces, layout, note: choice.mode === AS_TRAINED ? "" : "Of the training before this fine-tuning." };
}
