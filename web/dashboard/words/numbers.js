// Numbers as people read them: at most three significant digits, the unit apart, and a dash
// where nothing is known.

export const UNKNOWN = "–";

/**
 * A number with three significant digits at most; whole ones below 10,000 stay whole.
 * @param {number | null | undefined} value
 */
export function number(value) {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 1e9) return `${digits(value / 1e9)} G`;
  if (size >= 1e6) return `${digits(value / 1e6)} M`;
  if (size >= 1e4) return `${digits(value / 1e3)} k`;
  if (Number.isInteger(value)) return value.toLocaleString("en-GB");
  return digits(value);
}

function digits(value) {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en-GB");
  if (size >= 10) return trimmed(value, 1);
  if (size >= 0.01 || size === 0) return trimmed(value, 2);
  return value.toPrecision(2);
}

function trimmed(value, places) {
  return String(Number(value.toFixed(places)));
}

/** Milliseconds as a value and its unit. */
export function duration(milliseconds) {
  if (milliseconds == null || !Number.isFinite(milliseconds)) return { value: UNKNOWN, unit: "" };
  if (milliseconds < 1000) return { value: digits(milliseconds), unit: "ms" };
  const seconds = milliseconds / 1000;
  if (seconds < 60) return { value: digits(seconds), unit: "s" };
  return { value: span(seconds), unit: "" };
}

/** Seconds as the two largest units that are not zero: `2 h 5 min`. */
export function span(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return UNKNOWN;
  const sign = seconds < 0 ? "−" : "";
  let rest = Math.abs(seconds);
  if (rest < 60) return `${sign}${digits(rest)} s`;
  rest = Math.round(rest / 60);
  const [days, hours, minutes] = [Math.floor(rest / 1440), Math.floor(rest / 60) % 24, rest % 60];
  const parts = days > 0 ? [[days, "d"], [hours, "h"]] : [[hours, "h"], [minutes, "min"]];
  return sign + parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** Bytes as a value and its unit, in powers of 1,000. */
export function bytes(count) {
  if (count == null || !Number.isFinite(count)) return { value: UNKNOWN, unit: "" };
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let [value, at] = [count, 0];
  while (Math.abs(value) >= 1000 && at < units.length - 1) [value, at] = [value / 1000, at + 1];
  return { value: digits(value), unit: units[at] };
}

/** Percent; close to 100 as many digits as tell it from 100, and never rounded up to it. */
export function percent(value) {
  if (value == null || !Number.isFinite(value)) return UNKNOWN;
  if (value > 99 && value < 100) {
    const places = value >= 99.99 ? 3 : 2;
    return String(Math.floor(value * 10 ** places) / 10 ** places);
  }
  return digits(value);
}

/** `1 alert`, `2 alerts`, `no alerts`. */
export function count(many, one, more = `${one}s`) {
  return `${many === 0 ? "no" : number(many)} ${many === 1 ? one : more}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words) {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** A text with a capital in front. */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
