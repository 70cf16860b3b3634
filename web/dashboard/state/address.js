// The address of the page: choices and what a link points at.

import { signal } from "@preact/signals";
import { parse, print, target } from "./choices.js";

export const choices = signal(parse(location.search));
export const pointed = signal(target(location.hash));

/** Changes some choices; the way back leads to those of before. */
export function choose(some) {
  const { zoom: before } = choices.value;
  const reset = "range" in some && !("zoom" in some) ? { zoom: null } : {};
  choices.value = { ...choices.value, ...reset, ...some };
  const url = location.pathname + print(choices.value) + location.hash;
  // Typing and zooming are no steps that one goes back one by one.
  const small = "search" in some || ("zoom" in some && before != null);
  history[small ? "replaceState" : "pushState"](null, "", url);
}

/** Points at something, as a link to it does. */
export function point(hash) {
  history.replaceState(null, "", location.pathname + location.search + hash);
  pointed.value = target(hash);
}

export function follow() {
  addEventListener("popstate", () => {
    choices.value = parse(location.search);
    pointed.value = target(location.hash);
  });
  addEventListener("hashchange", () => {
    pointed.value = target(location.hash);
  });
}
