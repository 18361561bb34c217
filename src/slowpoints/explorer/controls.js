// The header of the page: controls, and a summary of the selected network.

import { FIELDS, choose, networkOf, optionsOf } from "./choice.js";
import { rowsOf, study, summaryOf } from "./data.js";
import { className, classText, labelOf, modeLabel, number, titleOf } from "./labels.js";
import { colourOf } from "./panels.js";

const SELECTS = [...FIELDS, "mode"];
const LIGHT = 0.6; // colours of later classes are light and need dark text

export const $ = (selector) => document.querySelector(selector);

export function connectControls() {
  for (const field of SELECTS) {
    $(`#${field}`).addEventListener("change", ({ target }) =>
      choose({ [field]: field === "seed" ? Number(target.value) : target.value }),
    );
  }
}

export function showControls(choice) {
  for (const field of SELECTS) {
    const select = $(`#${field}`);
    const options = optionsOf(choice, field);
    select.replaceChildren(
      ...options.map((value) => new Option(optionLabel(choice, field, value), value, false, value === choice[field])),
    );
    select.disabled = options.length < 2;
  }
  const focused = document.activeElement?.dataset?.label;
  const labels = [...Array(study.classes[choice.dataset] ?? 0).keys()];
  const buttons = labels.map((label) => {
    const button = classButton(choice, label, className(choice, label));
    const ink = label > LIGHT * labels.length ? "#000" : "#fff";
    button.style.cssText = `--colour: ${colourOf(choice, label)}; --on: ${ink}`;
    return button;
  });
  $("#classes").replaceChildren("Class", classButton(choice, null, "all"), ...buttons);
  if (focused !== undefined) $(`#classes button[data-label="${focused}"]`)?.focus();
}

function optionLabel(choice, field, value) {
  if (field === "mode") return modeLabel(choice.dataset, value);
  return field === "architecture" || field === "protocol" ? labelOf(field, value) : String(value);
}

function classButton(choice, label, text) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.dataset.label = label ?? "";
  if (label !== null) button.title = `class ${label}`;
  button.setAttribute("aria-pressed", choice.label === label);
  button.addEventListener("click", () => choose({ label }));
  return button;
}

export function showSummary(choice) {
  const network = networkOf(choice);
  const summary = summaryOf(network, choice.mode) ?? {};
  const facts = [
    fact("accuracy", summary.nominal_accuracy),
    fact("memory score", summary.memory_score),
    fact("half-life", summary.half_life, " frames"),
    fact("log<sub>10</sub> speed", summary.log10_speed),
    network.learned === false && "did not learn the task",
    ...classFacts(choice),
  ].filter(Boolean);
  const title = document.createElement("b");
  title.textContent = titleOf(choice);
  $("#summary").innerHTML = `: ${facts.join(" · ")}`;
  $("#summary").prepend(title);
}

function classFacts(choice) {
  if (choice.label === null) return [];
  const point = rowsOf("slow_points", choice).find(({ label }) => label === choice.label);
  if (!point) return [];
  return [
    `<b>${classText(choice, choice.label)}</b>: slow-point speed <b>${number(point.speed)}</b> per frame`,
    fact(`${study.frames} frames after the class centre`, point.settled_speed, " per frame"),
    fact("leading eigenvalue", point.leading),
    fact("unstable directions", point.n_unstable),
    fact(point.lifetime_capped ? "lifetime at least" : "lifetime", point.lifetime, " frames"),
  ];
}

const fact = (name, value, unit = "") => typeof value === "number" && `${name} <b>${number(value)}</b>${unit}`;
