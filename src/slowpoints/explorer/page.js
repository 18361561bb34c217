// The page: redraws whenever the choice changes, and turns clicks in a panel into a new choice.

import { accuracy } from "./accuracy.js";
import { FIELDS, addressOf, choose, chooseAddress, getChoice, subscribe, toggleClass } from "./choice.js";
import { $, connectControls, showControls, showSummary } from "./controls.js";
import { hasDetails, study, unpack } from "./data.js";
import { formation } from "./formation.js";
import { onKey } from "./keys.js";
import { number } from "./labels.js";
import { memory } from "./memory.js";
import { relaxation } from "./relaxation.js";
import { spectrum } from "./spectrum.js";
import { stateSpace } from "./state_space.js";

const PANELS = { accuracy, relaxation, memory, spectrum, formation };
const CONFIG = { responsive: true, displayModeBar: false, doubleClick: "reset" };
const STILL = 4; // pixels that the pointer may move in a click
const view = { flat: !hasWebgl(), turns: 0 }; // view of the state space
let drawing = false;
let outdated = false; // whether the choice has changed since drawing began

function hasWebgl() {
  return document.createElement("canvas").getContext("webgl") !== null;
}

// Draws the choice. Choices made while the page draws wait; of several, the last is drawn.
async function redraw() {
  outdated = true;
  if (drawing) return;
  setDrawing(true);
  try {
    while (outdated) {
      outdated = false;
      const began = performance.now();
      const choice = getChoice();
      // oxlint-disable-next-line no-await-in-loop -- one drawing after another is meant
      await draw(choice);
      document.body.dataset.drawn = addressOf(choice);
      document.body.dataset.milliseconds = Math.round(performance.now() - began);
    }
  } finally {
    setDrawing(false); // also after an error in a panel, so that the page stays usable
  }
}

function setDrawing(now) {
  drawing = now;
  $("main").setAttribute("aria-busy", now);
}

async function draw(choice) {
  showControls(choice);
  showSummary(choice);
  showNote($("#notice"), hasDetails(choice) ? "" : summaryAlone());
  const panels = [show("state_space", stateSpace(choice, view))];
  for (const [id, panel] of Object.entries(PANELS)) panels.push(show(id, panel(choice)));
  await Promise.all(panels);
}

async function show(id, { traces, layout, note }) {
  showNote($(`#${id} .note`), note);
  const plot = $(`#${id} .plot`);
  plot.hidden = !traces;
  if (traces) {
    await Plotly.react(plot, traces, layout, CONFIG);
    // Plotly follows the window size, but not a note that appears or disappears.
    if (plot.clientHeight !== plot.querySelector(".main-svg").clientHeight) await Plotly.Plots.resize(plot);
    if (!plot.dataset.linked) link(plot);
  } else {
    Plotly.purge(plot);
    delete plot.dataset.linked;
  }
}

function showNote(place, note) {
  place.textContent = note ?? "";
  place.hidden = !note;
}

function summaryAlone() {
  const subsampled = subsampling();
  return subsampled && `This network has a summary only. ${subsampled}`;
}

function subsampling() {
  const [most, detailed] = study.seeds;
  if (detailed >= most) return "";
  return `To limit its size, this page has full data for the first ${detailed} of up to ${most} networks per cell; “Speed against memory” shows all of them.`;
}

// Clicking something of a class selects the class; clicking a network selects the network.
function pick(point) {
  if (Array.isArray(point.customdata)) {
    choose(Object.fromEntries(FIELDS.map((field, index) => [field, point.customdata[index]])));
  } else if (point.data.meta) {
    toggleClass(point.data.meta.label);
  }
}

function link(plot) {
  plot.dataset.linked = "yes";
  if (plot.closest("#state_space") && !view.flat) linkScene(plot);
  else plot.on("plotly_click", ({ points: [point] }) => pick(point));
}

// In a 3D scene, Plotly emits "click" whenever it draws while a button is pressed, even during a rotation.
function linkScene(plot) {
  let under = null;
  let from = null;
  const remember = ({ points: [point] }) => {
    under = point;
  };
  plot.on("plotly_hover", remember);
  plot.on("plotly_click", remember);
  plot.on("plotly_unhover", () => {
    under = null;
  });
  plot.addEventListener("pointerdown", (event) => {
    from = [event.clientX, event.clientY];
  });
  plot.addEventListener("pointerup", (event) => {
    const still = from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) < STILL;
    if (still && under) pick(under);
  });
  plot.on("plotly_webglcontextlost", () => flatten(plot));
}

// Replaces a scene that lost WebGL. Plotly keeps trying to recover the old element, so it must stay as it is.
function flatten(plot) {
  view.flat = true;
  $("#reset_view").hidden = true;
  const other = document.createElement("div");
  other.className = "plot";
  plot.replaceWith(other);
  redraw();
}

function resetView() {
  view.turns++;
  redraw();
}

function showAbout() {
  const subsampled = subsampling();
  const source = `Generated from the study’s tables by slowpoints ${study.revision}.`;
  $("#least_speed").textContent = number(study.least_speed);
  $("#about").textContent = `${subsampled} ${source}`.trim();
}

async function start() {
  if (!study.networks.length) {
    showNote($("#notice"), "The tables of this study hold no networks.");
    return;
  }
  if (typeof DecompressionStream === "undefined") {
    const needed = "Chrome 86, Edge 86, Firefox 113, Safari 16.4";
    showNote($("#notice"), `This browser is too old for this page, which needs ${needed} or newer.`);
    return;
  }
  await unpack();
  showAbout();
  connectControls();
  $("#reset_view").addEventListener("click", resetView);
  $("#reset_view").hidden = view.flat;
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", () => chooseAddress(location.hash));
  subscribe(redraw);
  chooseAddress(location.hash);
}

start();
