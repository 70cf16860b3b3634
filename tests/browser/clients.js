// What Sentry's clients for browsers deliver to the door with only their DSN changed. Run by
// `npm test` against a bundle on this machine.

import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";
import { addKey, arrived, drops, short, until } from "./door.js";
import { browse, page, painted, script, serve, tab, visitor } from "./site.js";

const CLIENTS = ["sentry-10", "sentry-11"];

// What both deliver of a visit; a session once for each of its changes.
const EXPECTED = [
  "error Message",
  "error RangeError",
  "error TypeError",
  "event log",
  "feedback feedback",
  "metric wines_sold 3",
  "span localhost:PORT/api/wines/[id]",
  "web_vital CLS",
  "web_vital FCP",
  "web_vital INP",
  "web_vital LCP",
  "web_vital TTFB",
];

const files = { "/api/wines/7": { text: "wine" }, "/favicon.ico": { text: "" } };
for (const client of CLIENTS) files[`/${client}.js`] = script("client.js", { alias: { sentry: client } });
let browser;
let origin;

before(async () => {
  origin = await serve(files);
  browser = await browse();
});

async function visit(client, key, also = "") {
  const path = `/cellar-${key.id}`;
  files[path] = page(`<script src="/${client}.js" data-dsn="${key.dsn}" data-release="wine@${client}" ${also}></script>`);
  const visited = await tab(await visitor(browser));
  await visited.opened.goto(`${origin}${path}?token=abcdef`);
  return { ...visited, path };
}

// Names, each once, without what differs from one run to the next.
function names(found) {
  const kept = short(found).filter((item) => !item.startsWith("session"));
  return [...new Set(kept.map((item) => item.replace(/localhost:\d+/, "localhost:PORT")))];
}

for (const client of CLIENTS) {
  test(`${client} tells of a visit, and of nobody what is personal`, async () => {
    const key = addKey(client, "--origin", origin);
    const { opened, complaints, path } = await visit(client, key);
    await painted(opened);
    await opened.evaluate(() => shift());
    await opened.waitForFunction(() => measured > 0);
    for (const button of ["pour", "order", "shelve"]) {
      const done = button === "shelve" ? opened.waitForResponse("**/api/wines/7*") : once(opened, "pageerror");
      await opened.click(`#${button}`);
      await done;
    }
    await opened.evaluate(async () => {
      Sentry.captureFeedback({ name: "Anna", email: "anna@wine.example", message: "where is my wine?" });
      Sentry.captureMessage("the cellar is warm", "warning");
      Sentry.logger.info("a wine was added", { colour: "red" });
      Sentry.metrics.count("wines_sold", 3);
      await Sentry.getReplay().flush();
      await Sentry.flush();
    });
    await opened.waitForFunction(() => measured > 1);
    await opened.close();

    const found = await arrived(key, (items) => EXPECTED.every((name) => names(items).includes(name)));
    assert.deepEqual(names(found), EXPECTED);
    const errors = found.filter(({ kind }) => kind === "error").map(({ name }) => name);
    assert.deepEqual(errors, ["Message", "RangeError", "TypeError"]);
    for (const { name, release, environment, source, person } of found) {
      assert.deepEqual([release, environment, source], [`wine@${client}`, "production", "sentry"]);
      // Of a span that it sends by itself version 10 does not say whose it is.
      assert.ok(person === "u1" || client === "sentry-10" && name === "INP", `${name} ${person}`);
    }
    const error = found.find(({ name }) => name === "RangeError");
    assert.equal(error.detail.message, "order 17 is out of range");
    assert.equal(error.detail.handled, false);
    assert.ok(error.detail.frames.some(({ filename, in_app: ours }) => filename.endsWith(`/${client}.js`) && ours));
    const ends = found.filter(({ kind }) => kind === "session").map(({ name }) => name);
    assert.ok(ends.includes("ok") && ends.some((end) => ["crashed", "unhandled"].includes(end)), ends.join());
    for (const { name, value } of found.filter(({ kind }) => kind === "web_vital")) {
      const [least, most] = name === "CLS" ? [0.01, 1] : [1, 10_000];
      assert.ok(value >= least && value <= most, `${name} ${value}`);
    }
    const pages = found.filter(({ name }) => name === "TTFB").map(({ detail }) => detail.path);
    assert.deepEqual(pages, [path]);
    assert.doesNotMatch(JSON.stringify(found), /anna|abcdef|Pageload|127\.0\.0\.1/i);
    const { "attachment, replay or profile": replays, ...others } = drops(key);
    assert.ok(replays >= 2, `${replays} parts of replays`);
    assert.deepEqual(Object.keys(others), ["span of a kind that is not kept"]);
    assert.deepEqual(complaints, []);
  });

  test(`${client} stops where it is told that it is too much`, async () => {
    const key = addKey(`${client} quota`, "--a-minute", "3");
    const { opened } = await visit(client, key, "data-errors-alone");
    const sent = [];
    opened.on("request", (request) => request.url().includes("/envelope/") && sent.push(request.postData()));
    const throwing = (nth) => opened.evaluate((text) => {
      Sentry.captureException(new Error(text));
      return Sentry.flush();
    }, `error ${nth}`);
    const answers = [];
    opened.on("response", (response) => response.url().includes("/envelope/") && answers.push(response));
    for (let nth = 1; nth <= 4; nth += 1) await throwing(nth);
    const refused = answers.filter((response) => response.status() === 429);
    assert.equal(refused.length, 1);
    const limits = await refused[0].headerValue("x-sentry-rate-limits");
    assert.match(limits, /^\d+:error:key$/);
    const before = sent.length;
    for (let nth = 5; nth <= 7; nth += 1) await throwing(nth);
    assert.equal(sent.length, before);
    // When the page is left the client tells what it held back.
    await opened.goto("about:blank");
    await opened.close();
    await arrived(key, 3);
    const counted = await until(() => drops(key), (reasons) => reasons["client: ratelimit_backoff"]);
    assert.deepEqual(counted, { "client: ratelimit_backoff": 3, "over quota": 1 });
  });
}

test("a client of version 11 tells the page of what it felt as its guide here says", async () => {
  const key = addKey("named pages");
  const { opened, path } = await visit("sentry-11", key, "data-named");
  await opened.waitForFunction(() => measured > 0);
  await opened.close();
  const found = await arrived(key, (items) => short(items).includes("web_vital LCP"));
  const pages = found.filter(({ kind }) => kind === "web_vital").map(({ detail }) => detail.path);
  assert.ok(pages.length >= 3 && pages.every((page) => page === path), pages.join());
});
