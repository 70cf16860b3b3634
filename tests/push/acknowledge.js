// The page behind a link of a message, as a thumb finds it on the smallest phone: without
// script, in both themes. Run by `npm test` against a bundle on this machine.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const { BASE_URL, MONITORING_API_KEY } = process.env;

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
});
after(() => browser.close());

async function ask(path, body) {
  const answer = await fetch(new URL(path, BASE_URL), {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${MONITORING_API_KEY}`, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

// A bundle that was tested before has alerts of before.
const run = Date.now();

// The links of a new alert, as its email has them.
async function raise(name, title) {
  const subject = `${name} ${run}`;
  await ask("/api/alerts/dispatch", { source: "test", type: "system", severity: "critical", status: "firing", subject, title });
  const inbox = await ask("/_local/inbox");
  const { raw } = inbox.findLast(({ channel, text }) => channel === "email" && text.includes(title.slice(0, 40)));
  const links = [...raw.text.matchAll(/^([\w ]+): (http\S+)$/gm)];
  return Object.fromEntries(links.map(([, label, url]) => [label, url]));
}

async function phone(options = {}) {
  const context = await browser.newContext({
    viewport: { width: 320, height: 568 },
    javaScriptEnabled: false,
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = [];
  page.on("console", (message) => /Content Security Policy/.test(message.text()) && complaints.push(message.text()));
  return { context, page, complaints };
}

// The places of what can be pressed, and the width that the page takes.
async function measured(page) {
  const targets = [];
  for (const target of await page.locator("button, a, input:not([type=hidden]), select").all()) {
    targets.push({ ...(await target.boundingBox()), words: (await target.textContent()).trim() });
  }
  const widths = [];
  for (const part of await page.locator("main *").all()) {
    const box = await part.boundingBox();
    if (box) widths.push(box.x + box.width);
  }
  return { targets, width: Math.max(...widths) };
}

const LONG = `https://wine.example/${"cellar".repeat(30)} <b>is</b> down`;

for (const colorScheme of ["light", "dark"]) {
  test(`a thumb finds one large button on a small phone, ${colorScheme}`, async () => {
    const links = await raise(`thumb-${colorScheme}`, `${colorScheme} ${LONG}`);
    const { context, page, complaints } = await phone({ colorScheme });
    await page.goto(links.Acknowledge);
    const { targets, width } = await measured(page);
    assert.ok(width <= 320, `${width} px wide`);
    const [first] = targets;
    assert.equal(first.words, "Acknowledge");
    assert.ok(first.height >= 80 && first.width >= 280, JSON.stringify(first));
    for (const { height, words } of targets) assert.ok(height >= 44, `${words}: ${height} px`);
    await page.getByRole("link", { name: "Snooze it instead" }).click();
    const snooze = await measured(page);
    assert.ok(snooze.width <= 320, `${snooze.width} px wide`);
    assert.equal(snooze.targets[0].words, "Snooze for 1 hour");
    for (const { height, words } of snooze.targets) assert.ok(height >= 44, `${words}: ${height} px`);
    assert.deepEqual(complaints, []);
    await context.close();
  });
}

test("one press takes it, the name is remembered, and the second press says that once was enough", async () => {
  const first = await raise("once", "The cellar is warm");
  const { context, page } = await phone();
  await page.goto(first.Acknowledge);
  await page.getByLabel("Your name").fill("Anna <script>");
  await page.getByRole("button", { name: "Acknowledge" }).click();
  await page.getByRole("heading", { name: /^Acknowledged by Anna <script> \(by a link\) until/ }).waitFor();

  await page.goto(first.Acknowledge);
  await page.getByRole("heading", { name: /^Acknowledged by Anna <script>/ }).waitFor();
  assert.equal(await page.locator("button").count(), 0, "there is nothing more to press");

  const second = await raise("twice", "The barrels are warm");
  await page.goto(second.Acknowledge);
  assert.equal(await page.getByLabel("Your name").inputValue(), "Anna <script>");
  const onward = page.getByRole("link", { name: /on the dashboard$/ });
  assert.match(await onward.getAttribute("href"), /^\/dashboard#(incident|alert)=[0-9a-f-]{36}$/);
  await context.close();
});

test("what can no longer be pressed says so", async () => {
  const { context, page } = await phone();
  await page.goto(`${BASE_URL}/api/alerts/acknowledge?token=x`);
  await page.getByRole("heading", { name: "This link is not valid" }).waitFor();
  const links = await raise("over", "The corks are dry");
  await ask("/api/alerts/dispatch", {
    source: "test", type: "system", severity: "critical", status: "resolved", subject: `over ${run}`, title: "The corks are dry",
  });
  await page.goto(links.Acknowledge);
  await page.getByRole("heading", { name: "This alert is over" }).waitFor();
  assert.equal(await page.locator("button").count(), 0);
  await context.close();
});
