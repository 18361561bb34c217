// The choice: the network, mode and class that the page shows. Only this module holds it: others read it with
// `getChoice`, change it with `choose` and the functions below, and follow it with `subscribe`. It is also the page's
// address, such as #digits/gru/vocu/3 or #digits/gru/vocu/3/settled/class-5.

import { AS_TRAINED, modesOf, study } from "./data.js";

export const FIELDS = ["dataset", "architecture", "protocol", "seed"];

let current; // frozen: each change makes a new object
const listeners = [];

export const getChoice = () => current;

// Calls a function with each choice, also when the same one is chosen again.
export const subscribe = (listener) => listeners.push(listener);

function update(choice) {
  current = Object.freeze(choice);
  for (const listener of listeners) listener(current);
}

// Chooses the network of an address, or the nearest one: on load, and on Back and Forward.
export const chooseAddress = (address) => update(nearest(parseAddress(address)));

// Changes some fields, and the address, so that Back works.
export function choose(changes) {
  const next = nearest({ ...current, ...changes }, Object.keys(changes)[0]);
  const address = addressOf(next);
  if (address === addressOf(current)) return;
  try {
    history.pushState(null, "", address);
  } catch {
    // Inside another page, such as a notebook, the address may be read-only.
  }
  update(next);
}

export const toggleClass = (label) => choose({ label: label === current.label ? null : label });

export function step(field, by) {
  const options = optionsOf(current, field);
  const index = options.indexOf(current[field]) + by;
  choose({ [field]: options[(index + options.length) % options.length] });
}

export function stepClass(by) {
  const classes = study.classes[current.dataset];
  const from = current.label ?? (by > 0 ? -1 : classes);
  choose({ label: (from + by + classes) % classes });
}

// Values of a field that occur with those of the fields before it.
export function optionsOf(choice, field) {
  if (field === "mode") return modesOf(choice.dataset).map(({ name }) => name);
  const before = FIELDS.slice(0, FIELDS.indexOf(field));
  const fitting = study.networks.filter((network) => before.every((other) => network[other] === choice[other]));
  return [...new Set(fitting.map((network) => network[field]))];
}

export const networkOf = (choice) =>
  study.networks.find((network) => FIELDS.every((field) => network[field] === choice[field]));

export function addressOf(choice) {
  const parts = FIELDS.map((field) => choice[field]);
  if (choice.mode !== AS_TRAINED) parts.push(choice.mode);
  if (choice.label !== null) parts.push(`class-${choice.label}`);
  return `#${parts.map(encodeURIComponent).join("/")}`;
}

function parseAddress(address) {
  const parts = address.replace(/^#/, "").split("/").map(decoded);
  const wanted = Object.fromEntries(FIELDS.map((field, index) => [field, parts[index]]));
  const rest = parts.slice(FIELDS.length);
  const label = rest.find((part) => /^class-\d+$/.test(part));
  return {
    ...wanted,
    seed: wanted.seed === undefined ? undefined : Number(wanted.seed),
    mode: rest.find((part) => part !== label) ?? AS_TRAINED,
    label: label === undefined ? null : Number(label.slice("class-".length)),
  };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// The choice nearest to the wanted one: one field of the network first, then the others in order; mode and class if
// the data set has them.
function nearest(wanted, first = "dataset") {
  let left = study.networks;
  for (const field of [first, ...FIELDS]) {
    const same = left.filter((network) => network[field] === wanted[field]);
    if (same.length) left = same;
  }
  const network = Object.fromEntries(FIELDS.map((field) => [field, left[0][field]]));
  const hasMode = modesOf(network.dataset).some(({ name }) => name === wanted.mode);
  const hasClass = wanted.label !== null && wanted.label < study.classes[network.dataset];
  return { ...network, mode: hasMode ? wanted.mode : AS_TRAINED, label: hasClass ? wanted.label : null };
}
