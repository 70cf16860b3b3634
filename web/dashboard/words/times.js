// Times in the zone of whoever looks, and how long ago that was.

import { span } from "./numbers.js";

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const WHOLE = new Intl.DateTimeFormat("en-GB", {
  weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  timeZoneName: "short",
});

/**
 * A time as short as it can be: `14:02`, with the day in front if that is another one.
 * @param {string | number | Date} at
 * @param {number} now milliseconds
 */
export function clock(at, now) {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return "";
  const same = time.toDateString() === new Date(now).toDateString();
  return same ? CLOCK.format(time) : `${DAY.format(time)}, ${CLOCK.format(time)}`;
}

/** `just now`, `5 min ago`, `in 2 h`. */
export function ago(at, now) {
  const seconds = (now - new Date(at).getTime()) / 1000;
  if (!Number.isFinite(seconds)) return "";
  if (Math.abs(seconds) < 45) return "just now";
  const size = rough(Math.abs(seconds));
  return seconds < 0 ? `in ${size}` : `${size} ago`;
}

/** Seconds in the one unit that fits: `5 min`. */
export function rough(seconds) {
  if (seconds < 60) return span(Math.max(1, Math.round(seconds)));
  if (seconds < 5400) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** The whole of it, here and in UTC. */
export function whole(at) {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return "";
  return `${WHOLE.format(time)} · ${time.toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

/** A day: `30 Nov`. */
export function day(at) {
  return DAY.format(new Date(at));
}
