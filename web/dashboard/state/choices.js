// What the address holds: every choice of whoever looks, so that a link shows the same.
// Pure; `address.js` ties it to the browser.

export const RANGES = ["1h", "24h", "7d", "30d", "90d", "1y"];
export const ENVIRONMENTS = ["production", "preview", "development"];
const THEMES = ["light", "dark"];

/**
 * @typedef {object} Choices
 * @property {string} range
 * @property {string} environment
 * @property {string} search
 * @property {[number, number] | null} zoom seconds since 1970
 * @property {boolean} wall
 * @property {string | null} theme
 */

/** @returns {Choices} */
export function parse(search) {
  const parameters = new URLSearchParams(search);
  const one = (name, words, fallback) => (words.includes(parameters.get(name)) ? parameters.get(name) : fallback);
  return {
    range: one("range", RANGES, "24h"),
    environment: one("environment", ENVIRONMENTS, "production"),
    search: parameters.get("search") ?? "",
    zoom: zoomed(parameters.get("zoom")),
    wall: parameters.has("wall"),
    theme: one("theme", THEMES, null),
  };
}

/** The query of the address; what is as ever is left out. */
export function print({ range, environment, search, zoom, wall, theme }) {
  const parameters = new URLSearchParams();
  if (range !== "24h") parameters.set("range", range);
  if (environment !== "production") parameters.set("environment", environment);
  if (search !== "") parameters.set("search", search);
  if (zoom) parameters.set("zoom", zoom.map(Math.round).join("-"));
  if (wall) parameters.set("wall", "");
  if (theme) parameters.set("theme", theme);
  const text = parameters.toString().replace("wall=", "wall");
  return text === "" ? "" : `?${text}`;
}

function zoomed(text) {
  const [, from, until] = text?.match(/^(\d{9,11})-(\d{9,11})$/) ?? [];
  return from && Number(from) < Number(until) ? [Number(from), Number(until)] : null;
}

/** What a link points at: `#incident=…`, `#alert=…`, or a panel by its id. */
export function target(hash) {
  const [, kind, id] = hash.match(/^#(incident|alert)=([0-9a-f-]{36})$/i) ?? [];
  if (kind) return { kind, id: id.toLowerCase() };
  return /^#[a-z-]+$/.test(hash) ? { kind: "panel", id: hash.slice(1) } : null;
}
