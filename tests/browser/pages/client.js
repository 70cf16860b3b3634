// An app that uses Sentry's client for browsers as its guide says, with nothing changed but
// the DSN.

import * as Sentry from "sentry";

const { dataset } = document.currentScript;
const beforeStartSpan = (options) => ({ ...options, name: location.pathname });
const tracing = Sentry.browserTracingIntegration("named" in dataset ? { beforeStartSpan } : {});
const replay = Sentry.replayIntegration({ minReplayDuration: 0 });
const alone = "errorsAlone" in dataset;
Sentry.init({
  dsn: dataset.dsn,
  release: dataset.release,
  environment: "production",
  integrations: (usual) => alone ? usual.filter(({ name }) => name !== "BrowserSession") : [...usual, tracing, replay],
  tracesSampleRate: alone ? undefined : 1,
  replaysSessionSampleRate: 1,
  enableLogs: true,
  sendDefaultPii: true,
});
Sentry.setUser({ id: "u1", email: "anna@wine.example", ip_address: "{{auto}}" });

function pourFromEmptyBottle() {
  throw new TypeError("no wine for anna@wine.example");
}

async function orderFromClosedShop() {
  throw new RangeError("order 17 is out of range");
}

async function shelve() {
  // So long that it counts as an interaction.
  const until = performance.now() + 80;
  while (performance.now() < until);
  history.pushState({}, "", "/cellar/7?token=abcdef");
  await fetch("/api/wines/7?token=abcdef");
}

globalThis.shift = () => {
  const banner = document.createElement("p");
  banner.style.height = "300px";
  document.body.prepend(banner);
};

for (const [id, work] of Object.entries({ pour: pourFromEmptyBottle, order: orderFromClosedShop, shelve })) {
  const button = document.createElement("button");
  button.id = id;
  button.textContent = id;
  button.addEventListener("click", () => void work());
  document.body.append(button);
}

// How often the client has measured how a page was loaded, the next one after it, and so on.
globalThis.measured = 0;
Sentry.getClient().on("spanEnd", (span) => {
  if (Sentry.getRootSpan(span) === span) measured += 1;
});
globalThis.Sentry = Sentry;
