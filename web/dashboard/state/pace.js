// How long until the next look. Pure.

export const EVERY_MS = 15_000;
const MOST_MS = 5 * 60_000;

/** After so many failures in a row; a random part keeps many pages from coming at once. */
export function pause(failures, random = Math.random()) {
  if (failures === 0) return EVERY_MS;
  return Math.min(MOST_MS, EVERY_MS * 2 ** Math.min(failures - 1, 6)) * (0.85 + 0.3 * random);
}
