// A time, as it is shown everywhere: how long ago, and whole when one asks.

import { now } from "../state/clock.js";
import { ago, clock, whole } from "../words/times.js";

/** @param {{at: string | number | null, absolute?: boolean}} props */
export function Time({ at, absolute = false }) {
  if (at == null) return <span class="muted">never</span>;
  const time = new Date(at);
  return (
    <time dateTime={time.toISOString()} title={whole(at)}>
      {absolute ? clock(at, now.value) : ago(at, now.value)}
    </time>
  );
}
