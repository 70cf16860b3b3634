// Colours of the style sheet, for what is drawn on a canvas.

const probe = document.createElement("span");
probe.hidden = true;

/** What a custom property comes to in the theme of now. */
export function colour(name) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** Calls back whenever the theme changes; returns how to end that. */
export function onTheme(listener) {
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
  for (const query of queries) query.addEventListener("change", listener);
  return () => queries.forEach((query) => query.removeEventListener("change", listener));
}
