// The status page lets a device be told: its own page, script, policy and worker in a real
// browser, against a bundle on this machine. The one thing that stands in is the push service of
// a vendor: what the browser would subscribe to there, a service of this machine gives out.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const { BASE_URL, MONITORING_API_KEY, PUSH_SERVICE_URL, POURTRAIT } = process.env;
const OPERATOR = { authorization: `Bearer ${MONITORING_API_KEY}` };

let browser, context, page, subscription;
const complaints = [];

async function ask(path) {
  const answer = await fetch(new URL(path, BASE_URL), { headers: OPERATOR });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

const pushed = async () => (await ask("/_local/inbox")).filter(({ channel, to }) => channel === "push" && subscription.endpoint.endsWith(to));

/** Delivers until so many messages came to the device. */
async function delivered(many) {
  const until = Date.now() + 20_000;
  for (;;) {
    await ask("/api/alerts/dispatch");
    const found = await pushed();
    if (found.length >= many || Date.now() > until) return found;
  }
}

before(async () => {
  await ask("/api/cron/monitor");
  subscription = await (await fetch(`${PUSH_SERVICE_URL}/subscriptions`, { method: "POST" })).json();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
  context = await browser.newContext({ permissions: ["notifications"] });
  await context.addInitScript((given) => {
    let held = null;
    const options = {};
    const make = (key) => {
      options.applicationServerKey = key.buffer;
      return { options, toJSON: () => given, unsubscribe: async () => ((held = null), true) };
    };
    PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
      if (!userVisibleOnly || applicationServerKey.length !== 65) throw new TypeError("odd options");
      return (held = make(applicationServerKey));
    };
    PushManager.prototype.getSubscription = async () => held;
  }, subscription);
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
});
after(() => browser?.close());

const button = (name) => page.getByRole("button", { name, exact: true });
const says = (text) => page.locator("#device [role=status]", { hasText: text }).waitFor();

test("a press lets this device be told, in its own worker and without a word against the policy", async () => {
  await page.goto(`${BASE_URL}/status`);
  await page.locator("#device").waitFor();
  await page.locator("#device").getByLabel("The app").check();
  await button("Notify this device").click();
  await says("This device is told of changes.");
  assert.equal(await button("Notify this device").isVisible(), false);
  const scopes = await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).map(({ scope, active }) => [new URL(scope).pathname, new URL(active.scriptURL).pathname]));
  assert.deepEqual(scopes, [["/status", "/sw.js"]]);
  const [welcome] = await delivered(1);
  assert.match(welcome.subject, /This device is told from now on/);
  assert.deepEqual(complaints, []);
});

test("what changed is pushed, and a press leads to the page or to what it hears of", async () => {
  execFileSync(POURTRAIT, ["components", "set", "app", "--state", "degraded", "--for", "1h", "--note", "We look at it"], { encoding: "utf8" });
  const [, told] = await delivered(2);
  assert.match(told.subject, /The app: slow or partly failing/);
  const { notification } = told.raw;
  assert.equal(notification.navigate, `${BASE_URL}/status`);

  const session = await context.newCDPSession(page);
  const known = new Promise((found) => session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => registrations[0] && found(registrations[0])));
  await session.send("ServiceWorker.enable");
  const { registrationId } = await known;
  const [worker] = context.serviceWorkers();
  await worker.evaluate(() => {
    self.shown = [];
    const show = self.registration.showNotification.bind(self.registration);
    self.registration.showNotification = async (title, options) => (await show(title, options), void self.shown.push({ title, ...options }));
  });
  await session.send("ServiceWorker.deliverPushMessage", { origin: new URL(BASE_URL).origin, registrationId, data: JSON.stringify(told.raw) });
  const until = Date.now() + 10_000;
  let shown = [];
  while (shown.length === 0 && Date.now() < until) shown = await worker.evaluate(() => self.shown);
  assert.equal(shown[0].title, told.subject);
  assert.equal(shown[0].data.navigate, `${BASE_URL}/status`);
  assert.ok(shown[0].data.actions.manage.startsWith(`${BASE_URL}/status/manage?token=`));

  const { pathname, search } = new URL(shown[0].data.actions.manage);
  const manage = await (await fetch(`${BASE_URL}${pathname}${search}`)).text();
  assert.match(manage, /value="app" checked/);
});

test("another press ends it, and nothing more comes", async () => {
  await button("Stop notifying this device").click();
  await says("This device is told no more.");
  assert.ok(await button("Notify this device").isVisible());
  execFileSync(POURTRAIT, ["components", "set", "app", "--state", "partial_outage", "--for", "1h", "--note", "Still"], { encoding: "utf8" });
  await ask("/api/alerts/dispatch");
  assert.equal((await pushed()).length, 2);
  assert.deepEqual(complaints, []);
});

test("whoever blocks notifications is told so, and a browser without push is offered nothing", async () => {
  const blocked = await browser.newContext({ permissions: [] });
  await blocked.addInitScript(() => Object.defineProperty(Notification, "permission", { value: "denied" }));
  const other = await blocked.newPage();
  await other.goto(`${BASE_URL}/status`);
  await other.locator("#device [role=status]", { hasText: "block notifications" }).waitFor();
  await blocked.close();
  const without = await browser.newContext();
  await without.addInitScript(() => delete globalThis.PushManager);
  const third = await without.newPage();
  await third.goto(`${BASE_URL}/status`);
  await third.locator("time[title]").first().waitFor({ state: "attached" });
  assert.equal(await third.locator("#device").isVisible(), false);
  await without.close();
});
