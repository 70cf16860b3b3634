// When somebody last looked here, so that the page can say what changed since.

import { signal } from "@preact/signals";

const KEPT = "pourtrait.lookedAt";

/** A look ends after so long without one. */
const PAUSE_MS = 10 * 60_000;

/** The end of the look before this one; null on the first. */
export const lookedBefore = signal(null);

/** Notes that somebody looks, from now on and until the page is left. */
export function begin() {
  const last = Number(localStorage.getItem(KEPT)) || null;
  lookedBefore.value = last;
  const note = () => {
    if (document.hidden) return;
    const before = Number(localStorage.getItem(KEPT)) || null;
    // Somebody comes back to a tab that stayed open.
    if (before && Date.now() - before > PAUSE_MS) lookedBefore.value = before;
    localStorage.setItem(KEPT, String(Date.now()));
  };
  note();
  document.addEventListener("visibilitychange", note);
  setInterval(note, 30_000);
}

/** From now on only what is newer counts as changed. */
export function seen() {
  lookedBefore.value = Date.now();
}
