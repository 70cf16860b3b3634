// Keys: j and k go through what needs somebody, a and s answer it, / searches, ? tells of all.

import { signal } from "@preact/signals";
import { begin } from "../parts/answer.jsx";
import { choices, choose } from "./address.js";
import { RANGES } from "./choices.js";

export const KEYS = [
  ["j, k", "the next and the one before of what is open, else of the panels"],
  ["a", "acknowledge it"],
  ["s", "snooze it"],
  ["n", "note something about it"],
  ["r", "resolve it"],
  ["1 … 6", "the range: an hour to a year"],
  ["/", "search"],
  ["w", "wall mode, and back"],
  ["?", "this list"],
  ["← → Home End", "in a chart: move the cursor; + looks closer, − at the whole"],
];

/** Whether the list of keys is shown. */
export const helping = signal(false);

export function listen() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (press(event.key)) event.preventDefault();
  });
}

function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") != null;
}

const ACTIONS = { a: "acknowledge", s: "snooze", n: "note", r: "resolve" };

function press(key) {
  if (key === "?") return (helping.value = true);
  if (key === "/") return reach(document.getElementById("search"));
  if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
  if (key === "w") return choose({ wall: !choices.value.wall }) ?? true;
  if (RANGES[Number(key) - 1]) return choose({ range: RANGES[Number(key) - 1] }) ?? true;
  if (ACTIONS[key]) return act(ACTIONS[key]);
  return false;
}

function reach(element) {
  element?.focus();
  return element != null;
}

function step(by) {
  const open = [...document.querySelectorAll("[data-item]")];
  const stops = open.length > 0 ? open : [...document.querySelectorAll(".panel h3")];
  if (stops.length === 0) return false;
  const at = stops.findIndex((stop) => stop.contains(document.activeElement));
  const next = stops[at < 0 ? (by > 0 ? 0 : stops.length - 1) : Math.min(stops.length - 1, Math.max(0, at + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

/** Acts on what the focus is in; with one thing open, on that. */
function act(action) {
  const open = [...document.querySelectorAll("[data-item]")];
  const item = document.activeElement?.closest("[data-item]") ?? (open.length === 1 ? open[0] : null);
  if (!item) return false;
  const { item: kind, id, name } = item.dataset;
  if (kind === "alert" && action === "note") return false;
  begin(kind, id, name, action);
  return true;
}
