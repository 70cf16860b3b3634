// The dashboard in a real browser, against a local stack with sample data and traffic.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { BASE, KEY, close, data, drawAll, fault, forceColours, pourtrait, says, signIn, tab, tick, typeKey } from "./browser.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const MOST_BYTES = 150_000;
const LONGEST_TASK_MS = 100;
const REFRESHES = 240;

// A busy machine may have other alerts open.
const NOT_DOWN = /^(?![^]*App down)/;

after(close);

before(async () => {
  const isThere = pourtrait("contacts", "list").includes("Anna");
  if (!isThere) pourtrait("contacts", "add", "Anna", "--role", "on_call_primary", "--email", "anna@wine.example");
  pourtrait("oncall", "rotate", "primary", "--members", "Anna", "--weekly", "--at", "09:00", "--zone", "Europe/Zurich", "--on", "monday");
  await tick(2);
});

/** Calls back with a tab that somebody signed in in, and fails if the browser complained. */
async function looking(options, work) {
  const { where = "", expected = [], ...rest } = options;
  const opened = await tab(rest);
  try {
    await signIn(opened.page, where);
    await work(opened.page);
    assert.deepEqual(opened.complaints.filter((text) => !expected.some((pattern) => pattern.test(text))), []);
  } finally {
    await opened.close();
  }
}

async function violations(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations: found } = await axe.run(document, { resultTypes: ["violations"] });
    return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" | ")}`);
  });
}

test("a stranger is shown the form, and nothing is asked of the server", async () => {
  const { page, complaints, close: leave } = await tab();
  const requested = [];
  page.on("request", (request) => requested.push(new URL(request.url()).pathname));
  await page.goto(`${BASE}/dashboard`);
  await page.waitForSelector(".sign-in form");
  assert.deepEqual(requested.filter((path) => path.startsWith("/api")), []);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(complaints, []);
  await typeKey(page, `${KEY.slice(1)}x`);
  await says(page, ".notice", /That key was refused/);
  assert.equal(await page.$("#headline"), null);
  await leave();
});

test("every panel is filled by the sample data, and every number is defined", async () => {
  await looking({ where: "?range=7d" }, async (page) => {
    // Right after the start the first round of jobs may be under way.
    let empty;
    for (let tries = 0; tries < 15 && empty?.length !== 0; tries++) {
      if (tries > 0) {
        await new Promise((resolve) => setTimeout(resolve, 2000));
        await page.reload();
      }
      await page.waitForFunction(() => document.querySelectorAll(".panel").length > 20);
      await drawAll(page);
      empty = await page.evaluate(() => [...document.querySelectorAll(".panel.empty")].map(({ id }) => id));
    }
    assert.deepEqual(empty, []);
    assert.ok((await page.$$(".chart canvas")).length >= 4, "charts are drawn");
    assert.ok((await page.$$(".days svg")).length >= 6, "ninety days are drawn");
    const panels = await page.$$eval(".panel", (found) => found.map(({ id }) => id));
    for (const id of panels) {
      await page.evaluate((panel) => document.querySelector(`#${panel} header button`).click(), id);
      await page.waitForSelector("dialog[open] dt");
      const links = await page.$$eval("dialog a", (found) => found.map(({ pathname }) => pathname));
      assert.ok(links.every((path) => path === "/runbook.html"), `${id}: ${links}`);
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => !document.querySelector("dialog"));
    }
  });
});

test("what a definition says of the document is there", async () => {
  const document = await data();
  const folder = new URL("../../web/dashboard/panels/", import.meta.url);
  for (const name of readdirSync(folder)) {
    for (const [, path] of readFileSync(new URL(name, folder), "utf8").matchAll(/path: "([^"]+)"/g)) {
      const found = path.split(".").reduce((value, key) => (value != null && key in value ? value[key] : undefined), document);
      assert.notEqual(found, undefined, `${name}: .data.${path}`);
    }
  }
});

test("an outage is seen within one refresh, answered by a key of the keyboard, and over", async () => {
  await looking({}, async (page) => {
    await says(page, "#headline", /./);
    assert.doesNotMatch(await page.title(), /Trouble/);
    await fault("app", "refuse");
    await tick(3);
    await says(page, "#headline", /App down/);
    assert.match(await page.title(), /^\(\d+\) Trouble/);
    assert.match(await page.$eval("#icon", (icon) => icon.href), /state-bad\.[0-9a-f]{12}\.svg$/);
    await says(page, ".headline", /Nobody has it yet; Anna is on call/);
    await says(page, "#incidents", /nobody has it yet/);
    assert.deepEqual(await violations(page), []);

    await page.keyboard.press("j");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.item), "incident");
    await page.keyboard.press("a");
    await says(page, ".outcome", /Acknowledged/);
    await says(page, ".headline", /Somebody has it since/);

    await fault("app", "ok");
    await tick(3);
    await says(page, "#headline", NOT_DOWN);
    await says(page, "#incidents", /Nothing is open/);
    assert.doesNotMatch(await page.title(), /Trouble/);
  });
});

test("a newcomer is signed in by the link of the local stack, stays so, and is out when they say so", async () => {
  const { page, complaints, close: leave } = await tab();
  await page.goto(process.env.SIGN_IN_LINK);
  await says(page, ".account", /admin@pourtrait\.test, admin/);
  await says(page, "#headline", /./);
  assert.deepEqual(await page.evaluate(() => [document.cookie, JSON.stringify({ ...sessionStorage })]), ["", "{}"]);
  await page.reload();
  await says(page, ".account", /admin@pourtrait\.test, admin/);
  await page.evaluate(() => [...document.querySelectorAll(".account button")].find(({ innerText }) => innerText === "Sign out").click());
  await says(page, ".notice", /You are signed out/);
  await page.reload();
  await page.waitForSelector(".sign-in form");
  assert.deepEqual(complaints, []);
  await leave();
});

test("a viewer comes in by a code, sees an outage and is offered nothing to do about it", async () => {
  const email = "admin@pourtrait.test";
  pourtrait("roles", "grant", "viewer", email, "--yes");
  const { page, complaints, close: leave } = await tab();
  try {
    await signInByCode(page, email);
    await says(page, ".account", /viewer/);
    await fault("app", "refuse");
    await tick(3);
    await says(page, "#headline", /App down/);
    assert.equal(await page.$(".answers"), null);
    await page.keyboard.press("j");
    await page.keyboard.press("a");
    const { status } = await page.evaluate(async (incident) => {
      const body = JSON.stringify({ incident, action: "acknowledge" });
      const answer = await fetch("/api/alerts/acknowledge", { method: "POST", body, headers: { "content-type": "application/json" } });
      return { status: answer.status };
    }, (await data()).incidents[0].id);
    assert.equal(status, 403);
    assert.deepEqual(complaints.filter((text) => !/403/.test(text)), []);
  } finally {
    pourtrait("roles", "grant", "admin", email);
    await fault("app", "ok");
    await tick(3);
    await leave();
  }
});

test("a press lets this device be reached, and another one ends it", async () => {
  const email = "admin@pourtrait.test";
  const isThere = pourtrait("contacts", "list").includes("Admin");
  if (!isThere) pourtrait("contacts", "add", "Admin", "--role", "on_call_secondary", "--email", email);
  const given = await (await fetch(`${process.env.PUSH_SERVICE_URL}/subscriptions`, { method: "POST" })).json();
  const { page, complaints, close: leave } = await tab();
  await page.browserContext().overridePermissions(BASE, ["notifications"]);
  // What a vendor's push service would give out comes from one of this machine.
  await page.evaluateOnNewDocument((subscription) => {
    let held = null;
    PushManager.prototype.subscribe = async ({ applicationServerKey }) =>
      (held = { options: { applicationServerKey: applicationServerKey.buffer }, toJSON: () => subscription, unsubscribe: async () => ((held = null), true) });
    PushManager.prototype.getSubscription = async () => held;
  }, given);
  const press = (name) => page.waitForFunction((words) => {
    const button = [...document.querySelectorAll(".account button, .bar button, button")].find(({ innerText }) => innerText === words);
    button?.click();
    return button != null;
  }, {}, name);
  const devices = () => JSON.parse(pourtrait("contacts", "devices", "Admin", "--json")).devices.length;
  try {
    await signInByCode(page, email);
    await press("Notify this device");
    await page.waitForFunction(() => [...document.querySelectorAll("button")].some(({ innerText }) => innerText === "Stop notifying this device"));
    assert.equal(devices(), 1);
    await fetch(`${BASE}/api/alerts/dispatch`, { headers: { authorization: `Bearer ${KEY}` } });
    const until = Date.now() + 20_000;
    let told;
    do told = (await (await fetch(`${BASE}/_local/inbox`)).json()).find(({ channel, to }) => channel === "push" && given.endpoint.endsWith(to));
    while (!told && Date.now() < until && (await new Promise((again) => setTimeout(again, 200, true))));
    assert.match(told?.subject ?? "", /Alerts reach Admin on Chrome on Linux/);
    await press("Stop notifying this device");
    await page.waitForFunction(() => [...document.querySelectorAll("button")].some(({ innerText }) => innerText === "Notify this device"));
    assert.equal(devices(), 0);
    assert.deepEqual(complaints, []);
  } finally {
    await leave();
  }
});

async function signInByCode(page, email) {
  await fetch(`${BASE}/_local/inbox`, { method: "DELETE" });
  await page.goto(`${BASE}/dashboard`);
  await page.waitForSelector("input[type=email]");
  await page.type("input[type=email]", email);
  await page.keyboard.press("Enter");
  await page.waitForSelector("input[autocomplete=one-time-code]");
  await page.type("input[autocomplete=one-time-code]", await code());
  await page.keyboard.press("Enter");
}

/** The code in the mail that came last. */
async function code() {
  const until = Date.now() + 10_000;
  while (Date.now() < until) {
    const mails = await (await fetch(`${BASE}/_local/inbox`)).json();
    const found = mails.map(({ text }) => text.match(/sign in: (\d{6})/)?.[1]).findLast(Boolean);
    if (found) return found;
    await new Promise((again) => setTimeout(again, 100));
  }
  return assert.fail("no mail with a code came");
}

test("a link opens its incident", async () => {
  const [{ id, number }] = (await data()).incidents;
  await looking({ where: `#incident=${id}` }, async (page) => {
    await page.waitForFunction((which) => document.activeElement?.id === `incident-${which}`, {}, id);
    await says(page, `#incident-${id}`, new RegExp(`#${number} `));
    await says(page, `#incident-${id} .timeline`, /Alert: app down/);
  });
});

test("what was known stays when the server is gone, and says since when", async () => {
  await looking({ expected: [/ERR_INTERNET_DISCONNECTED/] }, async (page) => {
    const known = await page.$eval("#services", ({ innerText }) => innerText);
    await page.setOfflineMode(true);
    await page.evaluate(() => [...document.querySelectorAll(".bar button")].find(({ innerText }) => innerText === "Look now").click());
    await says(page, ".stale", /Stale since \d\d:\d\d.*the server cannot be reached/);
    assert.equal(await page.$eval("#services", ({ innerText }) => innerText), known);
    assert.match(await page.title(), /Not known/);
    await page.setOfflineMode(false);
    await page.waitForFunction(() => !document.querySelector(".stale"));
    assert.doesNotMatch(await page.title(), /Not known/);
  });
});

for (const scheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`nothing keeps anybody out, ${scheme} at ${width} pixels`, async () => {
      await looking({ scheme, width }, async (page) => {
        await drawAll(page);
        assert.deepEqual(await violations(page), []);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(sideways <= 0, `the page is ${sideways} pixels too wide`);
      });
    });
  }
}

test("whatever colours, paper or movement somebody wants, the page is whole", async () => {
  await looking({ scheme: "dark" }, async (page) => {
    await drawAll(page);
    await forceColours(page, { name: "prefers-reduced-motion", value: "reduce" });
    const found = await page.evaluate(() => {
      const seen = (one) => one.checkVisibility();
      const moving = [...document.querySelectorAll("*")].filter((one) => {
        const { transitionDuration, animationName } = getComputedStyle(one);
        return parseFloat(transitionDuration) > 0.01 || animationName !== "none";
      });
      const ground = getComputedStyle(document.body).backgroundColor;
      const unseen = [...document.querySelectorAll(".state svg, .days svg rect, .days svg path")].filter((one) => seen(one) && getComputedStyle(one).fill === ground && getComputedStyle(one).stroke === "none");
      return { moving: moving.map(({ outerHTML }) => outerHTML.slice(0, 80)), unseen: unseen.map(({ outerHTML }) => outerHTML.slice(0, 80)) };
    });
    assert.deepEqual(found, { moving: [], unseen: [] });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    await page.emulateMediaType("print");
    const printed = await page.evaluate(() => {
      const light = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) > 600;
      return { isPaper: light(getComputedStyle(document.body).backgroundColor) || getComputedStyle(document.body).backgroundColor === "rgba(0, 0, 0, 0)", isInk: !light(getComputedStyle(document.body).color), bar: document.querySelector(".bar").checkVisibility() };
    });
    assert.deepEqual(printed, { isPaper: true, isInk: true, bar: false });
  });
});

test("everything is reached by keyboard", async () => {
  await looking({}, async (page) => {
    await drawAll(page);
    const all = await page.evaluate(() => {
      const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, [tabindex='0']")]
        .filter((stop) => stop.checkVisibility() && !stop.disabled && (stop.type !== "radio" || stop.checked));
      stops.forEach((stop, nth) => stop.setAttribute("data-stop", nth));
      return stops.length;
    });
    await page.evaluate(() => {
      document.activeElement.blur();
      window.reached = new Set();
      addEventListener("focusin", ({ target }) => target.dataset.stop && reached.add(target.dataset.stop));
    });
    for (let nth = 0; nth < all + 20; nth += 1) await page.keyboard.press("Tab");
    const missed = await page.evaluate(() => [...document.querySelectorAll("[data-stop]")].filter(({ dataset }) => !reached.has(dataset.stop)).map(({ outerHTML }) => outerHTML.slice(0, 120)));
    assert.deepEqual(missed, []);
  });
});

test("keys do what their list says", async () => {
  await looking({}, async (page) => {
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open] kbd");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector("dialog"));
    await page.keyboard.press("3");
    await page.waitForFunction(() => location.search === "?range=7d");
    await page.keyboard.press("/");
    await page.keyboard.type("backup");
    await page.waitForFunction(() => location.search === "?range=7d&search=backup");
    await page.waitForFunction(() => document.querySelector("#backups") && !document.querySelector("#traffic"));
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("w");
    await page.waitForFunction(() => !document.querySelector(".bar").checkVisibility());
    await page.goBack();
    await page.waitForFunction(() => document.querySelector(".bar").checkVisibility());
  });
});

test("a chart is read by keys and as a table", async () => {
  await looking({ where: "?range=7d" }, async (page) => {
    await drawAll(page);
    const chart = await page.waitForSelector("#traffic .canvas");
    const described = await chart.evaluate((element) => document.getElementById(element.getAttribute("aria-describedby")).textContent);
    assert.match(described, /p50: .* at the end, between .* and .* on average/);
    await chart.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => /p50 /.test(document.querySelector("p[aria-live=polite]").textContent));
    await page.keyboard.press("+");
    await page.waitForFunction(() => /zoom=\d+-\d+/.test(location.search));
    await page.keyboard.press("-");
    await page.waitForFunction(() => !location.search.includes("zoom"));
    await page.evaluate(() => document.querySelector("#traffic .chart-actions button[aria-pressed]").click());
    const rows = await page.waitForSelector("#traffic .chart tbody tr").then(() => page.$$("#traffic .chart tbody tr"));
    assert.ok(rows.length >= 2 && rows.length <= 100, String(rows.length));
  });
});

test("a poll asks for what is new alone, and none comes while nobody looks", async () => {
  await looking({}, async (page) => {
    let asked = 0;
    page.on("request", (request) => (asked += request.url().includes("/api/monitoring/dashboard") ? 1 : 0));
    const other = await page.browserContext().newPage();
    await other.bringToFront();
    await page.waitForFunction(() => document.hidden, { polling: 200 }).catch(() => {});
    const isHidden = await page.evaluate(() => document.hidden);
    if (!isHidden) await page.evaluate(() => Object.defineProperty(document, "hidden", { value: true, configurable: true }) && document.dispatchEvent(new Event("visibilitychange")));
    await new Promise((over) => setTimeout(over, 16_000));
    assert.equal(asked, 0);
    if (!isHidden) await page.evaluate(() => delete document.hidden && document.dispatchEvent(new Event("visibilitychange")));
    await page.bringToFront();
    await page.waitForFunction(() => !document.hidden);
    const until = Date.now() + 10_000;
    while (asked === 0 && Date.now() < until) await new Promise((again) => setTimeout(again, 100));
    assert.ok(asked > 0, "it looks again");
  });
});

test("all that is loaded is small, and no work takes long", async () => {
  const { page, close: leave } = await tab();
  const session = await page.createCDPSession();
  let bytes = 0;
  await session.send("Network.enable");
  session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.tracing.start({ categories: ["toplevel", "devtools.timeline"] });
  await page.goto(`${BASE}/dashboard?range=90d`);
  await page.waitForSelector(".sign-in form");
  assert.ok(bytes > 50_000 && bytes < MOST_BYTES, `${bytes} bytes`);
  await typeKey(page, KEY);
  await page.waitForSelector("#headline");
  await drawAll(page);
  for (let nth = 0; nth < 3; nth += 1) {
    await page.evaluate(() => [...document.querySelectorAll(".bar button")].find(({ innerText }) => innerText === "Look now").click());
    await page.waitForNetworkIdle({ idleTime: 300 });
  }
  const longest = tasks(JSON.parse(Buffer.from(await page.tracing.stop()).toString()));
  assert.ok(longest[0] <= LONGEST_TASK_MS, `${longest.slice(0, 5)} ms`);
  await leave();
});

/** How long the tasks of the page worked, the longest first, in milliseconds of the processor: what else is busy here does not count. */
function tasks({ traceEvents }) {
  const pages = new Set(traceEvents.filter(({ args }) => JSON.stringify(args).includes("/assets/dashboard")).map(({ pid }) => pid));
  const threads = new Set(traceEvents.filter(({ name, args, pid }) => name === "thread_name" && args.name === "CrRendererMain" && pages.has(pid)).map(({ pid, tid }) => `${pid} ${tid}`));
  const found = traceEvents.filter(({ name, pid, tid, tdur }) => name.endsWith("RunTask") && tdur > 0 && threads.has(`${pid} ${tid}`)).map(({ tdur }) => Math.round(tdur / 1000));
  assert.ok(found.length > 10, "tasks are measured");
  return found.sort((one, other) => other - one);
}

test(`memory is steady over ${REFRESHES} refreshes`, async () => {
  await looking({}, async (page) => {
    await drawAll(page);
    const session = await page.createCDPSession();
    const measure = async () => {
      await session.send("HeapProfiler.collectGarbage");
      const { JSHeapUsedSize, Nodes } = await page.metrics();
      return { JSHeapUsedSize, Nodes };
    };
    const refresh = (times) => page.evaluate(async (many) => {
      const button = [...document.querySelectorAll(".bar button")].find(({ innerText }) => innerText === "Look now");
      for (let nth = 0; nth < many; nth += 1) {
        const before = performance.getEntriesByType("resource").length;
        button.click();
        while (performance.getEntriesByType("resource").length <= before) await new Promise((again) => setTimeout(again, 5));
        if (performance.getEntriesByType("resource").length > 200) performance.clearResourceTimings();
        await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
      }
    }, times);
    await refresh(REFRESHES / 4);
    const early = await measure();
    await refresh((REFRESHES * 3) / 4);
    const late = await measure();
    assert.ok(late.JSHeapUsedSize < early.JSHeapUsedSize * 1.15 + 500_000, JSON.stringify({ early, late }));
    assert.ok(late.Nodes < early.Nodes * 1.1 + 100, JSON.stringify({ early, late }));
  });
});

test("everything that the first page names answers, and the pages speak of no other origin", async () => {
  const { page, complaints, close: leave } = await tab();
  const origins = new Set();
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  for (const path of ["/", "/runbook.html", "/404.html", "/dashboard"]) {
    await page.goto(BASE + path);
    assert.deepEqual(await violations(page), [], path);
  }
  await page.goto(`${BASE}/`);
  for (const link of await page.$$eval("a[href^='/']", (links) => links.map(({ href }) => href))) {
    const answer = await fetch(link);
    assert.ok(answer.status === 200, `${link}: ${answer.status}`);
  }
  assert.deepEqual([...origins], [new URL(BASE).origin]);
  assert.deepEqual(complaints, []);
  await leave();
  for (const [path, kind] of [["/manifest.webmanifest", "application/manifest+json"], ["/favicon.ico", "image/"], ["/favicon.svg", "image/svg+xml"], ["/dashboard", "text/html; charset=utf-8"]]) {
    const answer = await fetch(BASE + path);
    assert.ok(answer.status === 200 && answer.headers.get("content-type").startsWith(kind), path);
  }
  const { icons } = await (await fetch(`${BASE}/manifest.webmanifest`)).json();
  for (const { src } of icons) assert.equal((await fetch(BASE + src)).status, 200, src);
});
