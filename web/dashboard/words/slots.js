// What became of the slots of a job, in words. Pure.

import { count, list, number } from "./numbers.js";

const WORDS = { done: "done", partial: "done in part", failed: "failed", missed: "missed: nobody called", running: "under way", abandoned: "given up: its run was killed" };

/** When a slot is. */
export function at({ from }, everySeconds, nth) {
  return new Date(new Date(from).getTime() + nth * everySeconds * 1000);
}

/** What became of one slot. */
export function told(outcome) {
  return outcome == null ? "nothing yet" : (WORDS[outcome] ?? outcome);
}

/** `58 of 60 slots were done; 1 failed, 1 missed.` */
export function sum({ outcomes }) {
  const known = outcomes.filter((outcome) => outcome != null);
  if (known.length === 0) return "No slot was called yet.";
  const done = known.filter((outcome) => outcome === "done").length;
  const others = [...new Set(known)].filter((outcome) => outcome !== "done");
  const rest = others.map((outcome) => `${number(known.filter((other) => other === outcome).length)} ${outcome}`);
  return `${number(done)} of ${count(known.length, "slot was", "slots were")} done${rest.length > 0 ? `; ${list(rest)}` : ""}.`;
}

/** The slots that were not simply done, the newest first, each with its time. */
export function odd(slots, everySeconds) {
  const found = slots.outcomes.map((outcome, nth) => ({ outcome, at: at(slots, everySeconds, nth) }));
  return found.filter(({ outcome }) => outcome != null && outcome !== "done").reverse();
}
