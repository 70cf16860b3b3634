// An app that uses one of Sentry's clients as its guide says, with nothing changed but the
// DSN: `node app.cjs sentry-11`, with SENTRY_DSN set.

const client = process.argv[2];
const Sentry = require(client);

Sentry.init({
  dsn: process.env.SENTRY_DSN,
  release: `wine@${client}`,
  environment: "production",
  tracesSampleRate: 1,
  enableLogs: true,
  sendDefaultPii: true,
});

const http = require("node:http");

function answer(request, response) {
  if (request.url.startsWith("/broken")) {
    Sentry.captureException(new TypeError("no wine for anna@wine.example"));
    response.statusCode = 500;
  }
  Sentry.startSpan({ name: "select * from wines where id = $1", op: "db", attributes: { "db.system": "postgresql" } }, () => {});
  response.end("wine");
}

async function main() {
  const server = http.createServer(answer);
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await (await fetch(`http://127.0.0.1:${port}/wines?token=abcdef`)).text();
  await (await fetch(`http://127.0.0.1:${port}/broken?token=abcdef`)).text();

  Sentry.startSession();
  Sentry.setUser({ id: "7c5e", email: "anna@wine.example", ip_address: "203.0.113.77" });
  Sentry.setTag("cellar", "north");
  for (let nth = 0; nth < 30; nth += 1) {
    Sentry.addBreadcrumb({ category: "ui", message: `step ${nth}`, data: { url: `https://wine.example/wines?x=${nth}` } });
  }
  Sentry.withScope((scope) => {
    scope.setFingerprint(["cellar", "{{ default }}"]);
    Sentry.captureException(new RangeError("bottle 17 is out of range"));
  });
  Sentry.captureMessage("the cellar is warm", "warning");
  Sentry.endSession();

  Sentry.logger.info("a wine was added", { colour: "red" });
  Sentry.logger.error("the cellar is on fire", { floor: 2 });
  Sentry.metrics.count("wines_sold", 3, { attributes: { colour: "red" } });
  Sentry.metrics.gauge("cellar_temperature", 12.5, { unit: "celsius" });
  Sentry.metrics.distribution("tasting", 187, { unit: "millisecond" });
  Sentry.captureFeedback({ name: "Anna", email: "anna@wine.example", message: "where is my wine?", url: "https://wine.example/orders?x=1" });
  const schedule = { type: "crontab", value: "0 3 * * *" };
  await Sentry.withMonitor("nightly-import", async () => {}, { schedule, checkinMargin: 10, maxRuntime: 30, timezone: "Europe/Berlin" });
  Sentry.captureCheckIn({ monitorSlug: "Weekly Report!", status: "error" }, { schedule: { type: "interval", value: 1, unit: "week" } });
  server.close();
  await Sentry.close(5000);
}

main();
