// What is shown: the page's address, such as #digits/gru/vocu/3, #digits/gru/vocu/3/settled/class-5.

const FIELDS = ["dataset", "architecture", "protocol", "seed"];

function addressOf(choice) {
  const parts = FIELDS.map((field) => choice[field]);
  if (choice.mode !== AS_TRAINED) parts.push(choice.mode);
  if (choice.label !== null) parts.push(`class-${choice.label}`);
  return "#" + parts.map(encodeURIComponent).join("/");
}

function wantedBy(address) {
  const parts = address.replace(/^#/, "").split("/").map(decoded);
  const wanted = Object.fromEntries(FIELDS.map((field, place) => [field, parts[place]]));
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

// The network nearest to what is wanted, its data set first, and the mode and class that there are.
function nearest(wanted, first = "dataset") {
  let left = study.networks;
  for (const field of [first, ...FIELDS]) {
    const same = left.filter((network) => network[field] === wanted[field]);
    if (same.length) left = same;
  }
  const network = Object.fromEntries(FIELDS.map((field) => [field, left[0][field]]));
  const known = modesOf(network.dataset).some(({ name }) => name === wanted.mode);
  return {
    ...network,
    mode: known ? wanted.mode : AS_TRAINED,
    label: wanted.label !== null && wanted.label < study.classes[network.dataset] ? wanted.label : null,
  };
}

let choice;

const networkShown = () => study.networks.find((network) => FIELDS.every((field) => network[field] === choice[field]));

// Values of a field that go with those before it.
function optionsOf(field) {
  if (field === "mode") return modesOf(choice.dataset).map(({ name }) => name);
  const before = FIELDS.slice(0, FIELDS.indexOf(field));
  const fitting = study.networks.filter((network) => before.every((other) => network[other] === choice[other]));
  return [...new Set(fitting.map((network) => network[field]))];
}

// The address changes with what is shown, so that the way back works, too.
function choose(changes) {
  const next = addressOf(nearest({ ...choice, ...changes }, Object.keys(changes)[0]));
  if (next === addressOf(choice)) return;
  try {
    history.pushState(null, "", next);
  } catch {
    // Within another page, such as a notebook, the address may not be ours to change.
  }
  follow(next);
}

const chooseClass = (label) => choose({ label: label === choice.label ? null : label });

function step(field, by) {
  const options = optionsOf(field);
  const place = options.indexOf(choice[field]) + by;
  choose({ [field]: options[(place + options.length) % options.length] });
}

function stepClass(by) {
  const classes = study.classes[choice.dataset];
  const from = choice.label ?? (by > 0 ? -1 : classes);
  choose({ label: (from + by + classes) % classes });
}

const KEYS = {
  ArrowLeft: () => step("seed", -1),
  ArrowRight: () => step("seed", 1),
  d: () => step("dataset", 1),
  a: () => step("architecture", 1),
  p: () => step("protocol", 1),
  m: () => step("mode", 1),
  "[": () => stepClass(-1),
  "]": () => stepClass(1),
  Escape: () => choose({ label: null }),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  const isClass = /^\d$/.test(event.key) && Number(event.key) < study.classes[choice.dataset];
  const act = isClass ? () => choose({ label: Number(event.key) }) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
