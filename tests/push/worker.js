// The worker of the pages in a real browser, driven through its debugging protocol: messages
// become notifications, and a press opens a page of ours. What needs a vendor's push service (a
// subscription) is not run here, and pages are opened only as far as the worker asks for it,
// because nobody presses.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const POLICY = [
  "default-src 'none'", "script-src 'self'", "connect-src 'self'", "worker-src 'self'", "base-uri 'none'",
  "require-trusted-types-for 'script'", "trusted-types sw",
].join("; ");

const source = (name) => readFileSync(new URL(`../../web/push/${name}`, import.meta.url));
const html = "<!doctype html><html lang=en><meta charset=utf-8><title>Wine</title><script type=module src=/page.js></script>";
const files = {
  "/": ["text/html; charset=utf-8", html],
  "/dashboard": ["text/html; charset=utf-8", html],
  "/page.js": ["text/javascript", 'import * as push from "/push.js"; globalThis.push = push;'],
  "/push.js": ["text/javascript", source("push.js")],
  "/sw.js": ["text/javascript", source("sw.js")],
  "/favicon.ico": ["image/x-icon", ""],
};

let server, origin, browser, context, page, worker, session, registration;
const complaints = [];

before(async () => {
  server = createServer((request, response) => {
    const [type, text] = files[new URL(request.url, "http://x").pathname] ?? [];
    response.writeHead(type ? 200 : 404, { "content-type": type ?? "text/plain", "content-security-policy": POLICY });
    response.end(text);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  origin = `http://localhost:${server.address().port}`;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
  context = await browser.newContext({ permissions: ["notifications"] });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(`${origin}/`);
  await page.waitForFunction(() => globalThis.push);

  session = await context.newCDPSession(page);
  const known = new Promise((found) =>
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => registrations[0] && found(registrations[0])),
  );
  await session.send("ServiceWorker.enable");
  const started = context.waitForEvent("serviceworker");
  // Where there is no push service this fails, after the worker was registered.
  await page.evaluate((key) => push.subscribe(key).catch(() => {}), PUBLIC_KEY);
  [registration, worker] = await Promise.all([known, started]);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await worker.evaluate(() => {
    // What the browser took to show: without a screen it lists some of it for a moment alone.
    self.shown = [];
    const show = self.registration.showNotification.bind(self.registration);
    self.registration.showNotification = async (title, options) => {
      await show(title, options);
      self.shown.push({ title, ...options });
    };
    self.opened = [];
    self.clients.openWindow = async (address) => void self.opened.push(address);
    WindowClient.prototype.focus = async function () {
      self.opened.push(`focus ${this.url}`);
    };
  });
});
after(async () => {
  await browser?.close();
  server.close();
});

const PUBLIC_KEY = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";

// Delivers a message as a push service would, and returns what is shown of it.
async function deliver(data) {
  await worker.evaluate(() => void (self.shown = []));
  await session.send("ServiceWorker.deliverPushMessage", { origin, registrationId: registration.registrationId, data });
  const limit = Date.now() + 10_000;
  for (;;) {
    const shown = await worker.evaluate(() => self.shown);
    if (shown.length > 0 || Date.now() > limit) {
      return shown.map((one) => ({ ...one, actions: one.actions.map(({ action, title }) => `${action} ${title}`) }));
    }
    await new Promise((later) => setTimeout(later, 50));
  }
}

// What the worker asks the browser to open when somebody presses.
function press(action) {
  return worker.evaluate(async (action) => {
    self.opened = [];
    const waiting = [];
    const pressed = Object.assign(new Event("notificationclick"), {
      action,
      notification: { ...self.shown.at(-1), close() {} },
      waitUntil: (promise) => waiting.push(promise),
    });
    self.dispatchEvent(pressed);
    await Promise.all(waiting);
    return self.opened;
  }, action ?? "");
}

let alerts = 0;
const message = (over = {}) => JSON.stringify({
  web_push: 8030,
  notification: {
    title: "Critical: https://wine.example/ is down",
    body: "Since: 2026-11-24 03:12 UTC",
    navigate: `${origin}/api/alerts/acknowledge?token=t0k3n`,
    tag: `alert-${++alerts}`,
    renotify: true,
    requireInteraction: true,
    actions: [
      { action: "snooze", title: "Snooze", navigate: `${origin}/api/alerts/acknowledge?token=sn00ze` },
      { action: "incident", title: "Incident", navigate: `${origin}/dashboard#incident=1` },
    ],
    ...over,
  },
});

test("a message becomes a notification, and a press opens what it is about", async () => {
  const [shown] = await deliver(message());
  assert.equal(shown.title, "Critical: https://wine.example/ is down");
  assert.equal(shown.body, "Since: 2026-11-24 03:12 UTC");
  assert.deepEqual([shown.tag, shown.requireInteraction, shown.renotify], ["alert-1", true, true]);
  assert.deepEqual(shown.actions, ["snooze Snooze", "incident Incident"]);
  assert.deepEqual(await press(), [`${origin}/api/alerts/acknowledge?token=t0k3n`]);
  await deliver(message());
  assert.deepEqual(await press("snooze"), [`${origin}/api/alerts/acknowledge?token=sn00ze`]);
});

test("a page that is open is brought to the front", async () => {
  await deliver(message({ navigate: `${origin}/` }));
  assert.deepEqual(await press(), [`focus ${origin}/`]);
});

test("the newer message about an alert takes the place of the older", async () => {
  await deliver(message({ tag: "same" }));
  await session.send("ServiceWorker.deliverPushMessage", {
    origin, registrationId: registration.registrationId, data: message({ tag: "same", title: "Resolved" }),
  });
  const limit = Date.now() + 10_000;
  let titles;
  do {
    titles = await worker.evaluate(async () => (await self.registration.getNotifications({ tag: "same" })).map(({ title }) => title));
  } while (titles[0] !== "Resolved" && Date.now() < limit);
  assert.deepEqual(titles, ["Resolved"]);
});

test("no page of another's is opened", async () => {
  for (const navigate of ["https://evil.example/", "//evil.example/x", "javascript:alert(1)", "data:text/html,x", "", 7, null]) {
    const [shown] = await deliver(message({ navigate, actions: [{ action: "a", title: "A", navigate }] }));
    const opened = [...(await press()), ...(await deliver(message({ navigate, actions: [{ action: "a", title: "A", navigate }] })), await press("a"))];
    for (const address of opened) assert.ok(address.replace("focus ", "").startsWith(`${origin}/`), `${navigate}: ${address}`);
    assert.ok(shown.data.navigate.startsWith(`${origin}/`));
  }
});

test("every message shows something, whatever it says", async () => {
  for (const odd of ["", "{}", "null", "[]", "not JSON", '{"notification":7}', '{"notification":{"title":{},"actions":[null,{}]}}']) {
    const shown = await deliver(odd);
    assert.equal(shown.length, 1, odd);
    assert.ok(shown[0].title.length > 0, odd);
  }
});

test("nothing but the worker's own script becomes a worker, and the policy is never broken", async () => {
  const refused = await page.evaluate(() => {
    try {
      navigator.serviceWorker.register("/push.js");
      return "registered";
    } catch (error) {
      return error.name;
    }
  });
  // A text is refused where trusted types are asked for, at once or later.
  assert.ok(["TypeError", "registered"].includes(refused));
  const scripts = await page.evaluate(async () =>
    (await navigator.serviceWorker.getRegistrations()).map(({ active }) => active.scriptURL),
  );
  assert.deepEqual(scripts, [`${origin}/sw.js`]);
  const unexpected = complaints.filter((text) => /Content Security Policy|Refused/.test(text) && !/TrustedScriptURL/.test(text));
  assert.deepEqual(unexpected, []);
});

test("a browser without a subscription has none to end", async () => {
  assert.deepEqual(await page.evaluate(async () => [await push.current(), await push.unsubscribe(), push.obstacle()]), [null, null, "none"]);
});
