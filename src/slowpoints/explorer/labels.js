// Labels, and the formatting of numbers.

import { AS_TRAINED, modesOf, study } from "./data.js";

export const UNIT = "per frame, state units";

export const labelOf = (field, name) => study.looks[field][name]?.label ?? name;

export const number = (value) =>
  value === null || value === undefined ? "–" : Number(value.toPrecision(4)).toString().replace("-", "−");

export const fraction = (value) => value.toFixed(3);

export function modeLabel(dataset, name) {
  const mode = modesOf(dataset).find((each) => each.name === name);
  if (name === AS_TRAINED || !mode) return "as trained";
  const label = labelOf("mode", mode.mode);
  return mode.lambda ? `${label}, λ = ${mode.lambda}` : label;
}

export const titleOf = ({ dataset, architecture, protocol, seed, mode }) =>
  [
    dataset,
    labelOf("architecture", architecture),
    labelOf("protocol", protocol),
    `seed ${seed}`,
    modeLabel(dataset, mode),
  ].join(", ");

// Name of a class if the tables give one, otherwise its number.
export const className = ({ dataset }, label) => study.class_names[dataset]?.[label] ?? String(label);

// Plotly reads "<" as the start of a tag, as HTML does.
export const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

export function classText(choice, label) {
  const name = className(choice, label);
  return name === String(label) ? `class ${label}` : `class ${label} (${escaped(name)})`;
}
