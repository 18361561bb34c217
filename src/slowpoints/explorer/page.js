// The page: controls, the words about the network shown, and drawing whenever the address changes.

const PANELS = { accuracy, relaxation, memory, spectrum, formation };
const CONFIG = { responsive: true, displayModeBar: false, doubleClick: "reset" };
const STILL = 4; // pixels that the pointer may move in a click
const CONTROLS = [...FIELDS, "mode"];
const $ = (selector) => document.querySelector(selector);
let flat = !webgl();
let turns = 0; // how often the scene was turned back

function webgl() {
  return document.createElement("canvas").getContext("webgl") !== null;
}

function modeLabel(name) {
  const found = modesOf(choice.dataset).find((mode) => mode.name === name);
  if (name === AS_TRAINED || !found) return "as trained";
  const label = labelOf("mode", found.mode);
  return found.lambda ? `${label}, λ = ${found.lambda}` : label;
}

const OPTION = {
  dataset: String,
  architecture: (name) => labelOf("architecture", name),
  protocol: (name) => labelOf("protocol", name),
  seed: String,
  mode: modeLabel,
};

const titleOf = ({ dataset, architecture, protocol, seed, mode }) =>
  [dataset, OPTION.architecture(architecture), OPTION.protocol(protocol), `seed ${seed}`, modeLabel(mode)].join(", ");

function showControls() {
  for (const field of CONTROLS) {
    const select = $(`#${field}`);
    const options = optionsOf(field);
    select.replaceChildren(...options.map((value) => new Option(OPTION[field](value), value, false, value === choice[field])));
    select.disabled = options.length < 2;
  }
  const focused = document.activeElement?.dataset?.label;
  const classes = [...Array(study.classes[choice.dataset] ?? 0).keys()];
  const button = (text, label, colour) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.dataset.label = label ?? "";
    made.setAttribute("aria-pressed", choice.label === label);
    if (colour) made.style.cssText = `--colour: ${colour}; --on: ${label > 0.6 * classes.length ? "#000" : "#fff"}`;
    made.onclick = () => choose({ label });
    return made;
  };
  $("#classes").replaceChildren("Class", button("all", null), ...classes.map((label) => button(label, label, colourOf(label))));
  if (focused !== undefined) $(`#classes button[data-label="${focused}"]`)?.focus();
}

function showSummary() {
  const network = networkShown();
  const summary = summaryOf(network, choice.mode) ?? {};
  const facts = [];
  const tell = (name, value, unit = "") => typeof value === "number" && facts.push(`${name} <b>${number(value)}</b>${unit}`);
  tell("accuracy", summary.nominal_accuracy);
  tell("memory score", summary.memory_score);
  tell("half-life", summary.half_life, " frames");
  tell("log<sub>10</sub> speed", summary.log10_speed);
  if (network.learned === false) facts.push("did not learn the task");
  const point = choice.label === null ? null : rowsOf("slow_points", choice).find(({ label }) => label === choice.label);
  if (point) {
    facts.push(`<b>class ${choice.label}</b>: slow point’s speed <b>${number(point.speed)}</b> per frame`);
    tell(`${study.frames} frames after the centre`, point.settled_speed, " per frame");
    tell("leading eigenvalue", point.leading);
    tell("unstable directions", point.n_unstable);
    tell(point.lifetime_capped ? "lifetime at least" : "lifetime", point.lifetime, " frames");
  }
  const title = document.createElement("b");
  title.textContent = titleOf(choice);
  $("#summary").innerHTML = `: ${facts.join(" · ")}`;
  $("#summary").prepend(title);
}

function say(id, note) {
  const place = $(`#${id} .note`) ?? $(`#${id}`);
  place.textContent = note ?? "";
  place.hidden = !note;
}

function missingHere() {
  if (withDetails(choice)) return undefined;
  const [most, given] = study.seeds;
  return given < most ? `Of this network the page has a summary alone: ${leftOut()}` : undefined;
}

function leftOut() {
  const [most, given] = study.seeds;
  return given < most ? `to keep it small, the first ${given} of up to ${most} networks of each cell are here in full, all in “Speed against memory”.` : "";
}

async function draw() {
  showControls();
  showSummary();
  say("notice", missingHere());
  const drawn = [show("state_space", stateSpace(flat))];
  for (const [id, panel] of Object.entries(PANELS)) drawn.push(show(id, panel()));
  await Promise.all(drawn);
}

async function show(id, { traces, layout, note }) {
  say(id, note);
  const plot = $(`#${id} .plot`);
  plot.hidden = !traces;
  if (traces) await Plotly.react(plot, traces, layout, CONFIG);
  else Plotly.purge(plot);
  if (traces && !plot.dataset.linked) link(plot);
  if (!traces) delete plot.dataset.linked;
}

// A click on what belongs to a class picks the class, on a network the network.
function pick(point) {
  if (Array.isArray(point.customdata)) {
    choose(Object.fromEntries(FIELDS.map((field, place) => [field, point.customdata[place]])));
  } else if (point.data.meta) {
    chooseClass(point.data.meta.label);
  }
}

function link(plot) {
  plot.dataset.linked = "yes";
  if (plot.closest("#state_space") && !flat) return linkScene(plot);
  plot.on("plotly_click", ({ points: [point] }) => pick(point));
}

// In a scene Plotly says "click" whenever it draws while a button is down, and so also where the scene is turned.
function linkScene(plot) {
  let under = null;
  let from = null;
  for (const event of ["plotly_hover", "plotly_click"]) plot.on(event, ({ points: [point] }) => (under = point));
  plot.on("plotly_unhover", () => (under = null));
  plot.onpointerdown = (event) => (from = [event.clientX, event.clientY]);
  plot.onpointerup = (event) => {
    const still = from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) < STILL;
    if (still && under) pick(under);
  };
  plot.on("plotly_webglcontextlost", () => flatten(plot));
}

// Instead of a scene that lost WebGL, which Plotly goes on trying to recover and so must keep.
function flatten(plot) {
  flat = true;
  $("#reset_view").hidden = true;
  const other = document.createElement("div");
  other.className = "plot";
  plot.replaceWith(other);
  follow(addressOf(choice));
}

// Draws what an address says; while it draws, the last address that comes in waits.
let drawing = false;
let waiting = null;

async function follow(address) {
  waiting = address;
  if (drawing) return;
  drawing = true;
  try {
    while (waiting !== null) {
      const began = performance.now();
      choice = nearest(wantedBy(waiting));
      waiting = null;
      await draw();
      document.body.dataset.drawn = addressOf(choice);
      document.body.dataset.milliseconds = Math.round(performance.now() - began);
    }
  } finally { // an error in one panel must not make the page deaf
    drawing = false;
  }
}

function showAbout() {
  const parts = [leftOut() && "Subsampled: " + leftOut(), `Drawn from the study’s tables alone, by slowpoints ${study.revision}.`];
  $("#least_speed").textContent = number(study.least_speed);
  $("#about").textContent = parts.filter(Boolean).join(" ");
}

async function start() {
  if (!study.networks.length) return say("notice", "The tables of this study hold no network.");
  if (typeof DecompressionStream === "undefined") {
    return say("notice", "This browser is too old for this page: Chrome or Edge 86, Firefox 113 or Safari 16.4 are needed.");
  }
  await unpack();
  showAbout();
  for (const field of CONTROLS) {
    $(`#${field}`).onchange = ({ target }) => choose({ [field]: field === "seed" ? Number(target.value) : target.value });
  }
  $("#reset_view").onclick = () => {
    turns++;
    follow(addressOf(choice));
  };
  $("#reset_view").hidden = flat;
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", () => follow(location.hash));
  await follow(location.hash);
}

start();
