// The time, for everything that says how long ago something was. It stands still while nobody
// looks.

import { signal } from "@preact/signals";

const EVERY_MS = 10_000;

export const now = signal(Date.now());

export function start() {
  const tick = () => {
    if (!document.hidden) now.value = Date.now();
  };
  setInterval(tick, EVERY_MS);
  document.addEventListener("visibilitychange", tick);
}
