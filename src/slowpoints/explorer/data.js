// The study: a header of plain values, and columns of numbers, unpacked once.

const study = JSON.parse(document.getElementById("header").textContent);
const TYPES = { i2: Int16Array, i4: Int32Array, f4: Float32Array, u1: Uint8Array };
const AS_TRAINED = "trained";
let bytes;

async function unpack() {
  const text = atob(document.getElementById("columns").textContent);
  const packed = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) packed[place] = text.charCodeAt(place);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  bytes = await new Response(stream).arrayBuffer();
}

const nameOf = ({ dataset, architecture, protocol, mode, seed }) =>
  [dataset, architecture, protocol, mode, seed].join("/");

// Rows of a part of the page that are a network's: objects, nulls as null. Some parts are of networks as trained alone.
function rowsOf(part, network) {
  const found = study.parts[part];
  const [first, count] = found?.rows[nameOf(network)] ?? [0, 0];
  const rows = Array.from({ length: count }, () => ({}));
  for (const [name, [type, start]] of Object.entries(found?.columns ?? {})) {
    const size = TYPES[type].BYTES_PER_ELEMENT;
    const values = new TYPES[type](bytes, start + first * size, count);
    rows.forEach((row, place) => (row[name] = Number.isNaN(values[place]) ? null : values[place]));
  }
  return rows;
}

function byClass(rows) {
  const classes = new Map();
  for (const row of rows) {
    if (!classes.has(row.label)) classes.set(row.label, []);
    classes.get(row.label).push(row);
  }
  return classes;
}

// What is known of a network as a whole: memory score, speed and others, before or after fine-tuning.
const summaryOf = (network, mode) =>
  mode === AS_TRAINED ? network : (study.tuned[nameOf({ ...network, mode })] ?? null);

const withDetails = (network) =>
  Object.values(study.parts).some(({ rows }) => nameOf({ ...network, mode: AS_TRAINED }) in rows);

const modesOf = (dataset) => study.modes[dataset] ?? [];
