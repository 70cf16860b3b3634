// Figures over time, before they are drawn: which part is looked at, fewer points, and what a
// picture says in one sentence. Pure. A point that is null is not known and stays a gap.

/** More points than this are not drawn, and more rows than that are not read. */
export const MOST_POINTS = 1000;
export const MOST_ROWS = 100;

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {(number | null)[]} values
 */

/** The seconds since 1970 at which the points of a series begin. */
export function times({ from, step }, length) {
  const start = Math.floor(new Date(from).getTime() / 1000);
  return Array.from({ length }, (_, nth) => start + nth * step);
}

/** The part between two times; whole without them. */
export function zoomed(at, lines, zoom) {
  if (!zoom) return { at, lines };
  const first = at.findIndex((time) => time >= zoom[0]);
  const past = at.findIndex((time) => time > zoom[1]);
  if (first < 0) return { at, lines };
  const end = past < 0 ? at.length : past;
  // One point is no picture.
  if (end - first < 2) return { at, lines };
  return { at: at.slice(first, end), lines: lines.map((line) => ({ ...line, values: line.values.slice(first, end) })) };
}

/** At most so many points, each the mean of those that it stands for. */
export function thinned(at, lines, most) {
  if (at.length <= most) return { at, lines };
  const size = Math.ceil(at.length / most);
  const starts = Array.from({ length: Math.ceil(at.length / size) }, (_, nth) => nth * size);
  return {
    at: starts.map((start) => at[start]),
    lines: lines.map((line) => ({ ...line, values: starts.map((start) => mean(line.values.slice(start, start + size))) })),
  };
}

export function mean(values) {
  const real = values.filter((value) => value != null);
  return real.length === 0 ? null : real.reduce((sum, value) => sum + value, 0) / real.length;
}

/** The least, the greatest, the last and how the second half stands to the first. */
export function figures(values) {
  const real = values.filter((value) => value != null);
  if (real.length === 0) return null;
  const half = Math.floor(values.length / 2);
  const [before, after] = [mean(values.slice(0, half)), mean(values.slice(half))];
  return {
    least: Math.min(...real),
    most: Math.max(...real),
    last: values.findLast((value) => value != null),
    mean: mean(real),
    missing: values.length - real.length,
    change: before > 0 && after != null ? (after - before) / before : null,
  };
}

/**
 * What a line shows, in a sentence: for those who do not see it, and above it for all.
 * @param {Line} line
 * @param {(value: number) => string} words
 */
export function sentence({ label, values }, words) {
  const found = figures(values);
  if (!found) return `${label}: nothing is known.`;
  const parts = [`${label}: ${words(found.last)} at the end, between ${words(found.least)} and ${words(found.most)}, ${words(found.mean)} on average`];
  const moved = tendency(found.change);
  if (moved) parts.push(moved);
  if (found.missing > 0) parts.push(`${Math.round((found.missing / values.length) * 100) || "under 1"} % of the time is not known`);
  return `${parts.join("; ")}.`;
}

/** How the later half differs from the earlier one; null where it hardly does. */
export function tendency(change) {
  if (change == null || Math.abs(change) < 0.1) return null;
  const percent = Math.round(Math.abs(change) * 100);
  const size = percent > 200 ? `${Math.round(1 + change)} times as much` : `${percent} % ${change > 0 ? "more" : "less"}`;
  return `${size} in the later half`;
}

/** The stretches of which nothing is known, as pairs of times. */
export function gaps(at, values, step) {
  const found = [];
  for (let nth = 0; nth < at.length; nth += 1) {
    if (values[nth] != null) continue;
    const last = found.at(-1);
    if (last && last[1] >= at[nth]) last[1] = at[nth] + step;
    else found.push([at[nth], at[nth] + step]);
  }
  return found;
}

/** Counts of a step as a rate a minute. */
export function perMinute(counts, step) {
  return counts.map((value) => (value == null ? null : (value * 60) / step));
}

/** All points but the last, which is not over yet. */
export function finished(counts) {
  return counts.slice(0, -1);
}

/** Parts of wholes in percent; null without a whole. */
export function share(parts, wholes) {
  return wholes.map((whole, nth) => (whole == null || whole === 0 || parts[nth] == null ? null : (parts[nth] / whole) * 100));
}
