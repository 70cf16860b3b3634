// A browser that looks at the pages of a local stack, and complains of what it should not see.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import puppeteer from "puppeteer-core";

export const BASE = process.env.BASE_URL;
export const KEY = process.env.MONITORING_API_KEY;

const ARGS = ["--no-sandbox", "--disable-gpu", "--headless=new"];
const PATIENCE_MS = 20_000;
let started = null;

export function browser() {
  started ??= puppeteer.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS });
  return started;
}

export async function close() {
  await (await started)?.close();
}

/**
 * A tab of somebody who was never here. What the console says of errors, and what the policy
 * forbids, is gathered in `complaints`.
 */
export async function tab({ width = 1280, height = 900, scheme = "light" } = {}) {
  const context = await (await browser()).createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.stack));
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.evaluateOnNewDocument(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, sourceFile, sample }) => console.error("policy", violatedDirective, sourceFile, sample));
  });
  return { page, complaints, close: () => context.close() };
}

/** Shows the page in colours that somebody else chose, and in what else is wanted. */
export async function forceColours(page, ...features) {
  const session = await page.createCDPSession();
  await session.send("Emulation.setEmulatedMedia", { features: [{ name: "forced-colors", value: "active" }, ...features] });
}

/** Comes in with the operator's key, and waits until everything known is there. */
export async function signIn(page, where = "") {
  await page.goto(`${BASE}/dashboard${where}`);
  await typeKey(page, KEY);
  await page.waitForSelector("#headline");
}

export async function typeKey(page, key) {
  await page.waitForSelector(".ways");
  await page.evaluate(() => [...document.querySelectorAll(".ways label")].find((label) => label.textContent.includes("key")).click());
  await page.waitForSelector("input[type=password]");
  await page.type("input[type=password]", key);
  await page.keyboard.press("Enter");
}

/** Draws every panel, as somebody does who goes down the page. */
export async function drawAll(page) {
  await page.evaluate(async () => {
    for (const panel of document.querySelectorAll(".panel")) {
      panel.scrollIntoView();
      while (panel.dataset.drawn == null || panel.querySelectorAll(".canvas:empty").length > 0) {
        await new Promise((drawn) => requestAnimationFrame(drawn));
      }
    }
    scrollTo(0, 0);
  });
}

/** The text of what a selector finds, once it matches. */
export async function says(page, selector, expected) {
  await page.waitForFunction(
    (where, pattern) => new RegExp(pattern).test(document.querySelector(where)?.innerText ?? ""),
    {}, selector, expected.source,
  ).catch(async (error) => {
    const found = await page.evaluate((where) => document.querySelector(where)?.innerText, selector);
    assert.fail(`${selector} says ${JSON.stringify(found)}, not ${expected} (${error.message})`);
  });
}

export async function api(path, options = {}) {
  const answer = await fetch(BASE + path, { ...options, headers: { authorization: `Bearer ${KEY}`, ...options.headers } });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

export async function data() {
  return (await api("/api/monitoring/dashboard?timeRange=24h")).data;
}

/** Breaks or heals something of the local stack. */
export function fault(service, mode) {
  return api("/_local/faults", { method: "POST", body: JSON.stringify({ service, mode }) });
}

/** Looks, so many times; the schedule's own look may come between, and a busy machine be slow. */
export async function tick(times) {
  const until = Date.now() + 60_000;
  for (let done = 0; done < times; ) {
    const answer = await fetch(`${BASE}/api/cron/monitor`, { headers: { authorization: `Bearer ${KEY}` } });
    const { outcome } = await answer.json();
    if (outcome === "done") done += 1;
    else await new Promise((over) => setTimeout(over, 200));
    assert.ok(Date.now() < until, `a look is ${outcome}`);
  }
}

/** Runs the operator's command. */
export function pourtrait(...words) {
  return execFileSync(process.env.POURTRAIT, words, { encoding: "utf8" });
}
