// Keys that change the choice; the footer of the page lists them.

import { choose, getChoice, step, stepClass } from "./choice.js";
import { study } from "./data.js";

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

export function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  const isClass = /^\d$/.test(event.key) && Number(event.key) < study.classes[getChoice().dataset];
  const act = isClass ? () => choose({ label: Number(event.key) }) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}
