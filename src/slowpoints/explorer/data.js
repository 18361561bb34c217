// The study: a header of plain values, and numeric columns, unpacked once.

export const study = JSON.parse(document.getElementById("header").textContent);
export const AS_TRAINED = "trained";
const TYPES = { i2: Int16Array, i4: Int32Array, f4: Float32Array, u1: Uint8Array };
let bytes;

export async function unpack() {
  const text = atob(document.getElementById("columns").textContent);
  const packed = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) packed[index] = text.charCodeAt(index);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  bytes = await new Response(stream).arrayBuffer();
}

export const nameOf = ({ dataset, architecture, protocol, mode, seed }) =>
  [dataset, architecture, protocol, mode, seed].join("/");

// A network's rows of a part of the data, as objects. Some parts describe trained networks only.
export function rowsOf(partName, network) {
  const part = study.parts[partName];
  const [first, count] = part?.rows[nameOf(network)] ?? [0, 0];
  const rows = Array.from({ length: count }, () => ({}));
  for (const [name, [type, start]] of Object.entries(part?.columns ?? {})) {
    const size = TYPES[type].BYTES_PER_ELEMENT;
    const values = new TYPES[type](bytes, start + first * size, count);
    for (const [index, row] of rows.entries()) row[name] = Number.isNaN(values[index]) ? null : values[index];
  }
  return rows;
}

export function byClass(rows) {
  const classes = new Map();
  for (const row of rows) {
    if (!classes.has(row.label)) classes.set(row.label, []);
    classes.get(row.label).push(row);
  }
  return classes;
}

// Summary of a network: memory score, speed and others, before or after fine-tuning.
export const summaryOf = (network, mode) =>
  mode === AS_TRAINED ? network : (study.tuned[nameOf({ ...network, mode })] ?? null);

export const hasDetails = (network) =>
  Object.values(study.parts).some(({ rows }) => nameOf({ ...network, mode: AS_TRAINED }) in rows);

export const modesOf = (dataset) => study.modes[dataset] ?? [];
