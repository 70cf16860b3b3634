// Our module in a real browser: what people do on pages comes in whole, once, and without who
// they are. Run by `npm test` against a bundle on this machine.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { addKey, arrived, nothingElseCame, short } from "./door.js";
import { browse, browseUnwatched, page, painted, script, serve, settled, tab, visitor } from "./site.js";

const files = { "/visit.js": script("visit.js"), "/favicon.ico": { text: "" } };
let browser;
let origin;

before(async () => {
  origin = await serve(files);
  browser = await browse();
});

// A page of the app under a policy that allows what it needs and nothing else.
function add(path, key, also = "") {
  const door = new URL(key.url).origin;
  files[path] = page(`<script src="/visit.js" nonce="r4nd0m" data-door="${key.url}" ${also}></script>`, {
    "content-security-policy": `default-src 'none'; script-src 'self' 'nonce-r4nd0m'; img-src 'self';
      connect-src ${door}; require-trusted-types-for 'script'; base-uri 'none'`.replace(/\s+/g, " "),
  });
}

async function visit(context, path) {
  const visited = await tab(context);
  await visited.opened.goto(origin + path);
  return visited;
}

const said = (found, name) => found.filter((item) => item.name === name);

test("the module is as small as its guide says", () => {
  const source = readFileSync(new URL("../../web/door/pourtrait.js", import.meta.url));
  const built = script("module.js", { format: "esm" }).text;
  const [asItIs, asItIsBuilt] = [source, built].map((text) => gzipSync(text, { level: 9 }).length);
  assert.ok(asItIs <= 2048 && asItIsBuilt <= 1434, `${asItIs} ${asItIsBuilt}`);
});

test("a visit is told whole, the tab being closed at its end", async () => {
  const key = addKey("visit", "--origin", origin);
  // Nothing leaves before somebody has consented, however slow the machine is.
  add("/cellar", key, 'data-vitals data-every="60000"');
  const { opened, complaints } = await visit(await visitor(browser), "/cellar");
  await opened.evaluate(() => {
    ops.consent(true);
    ops.identify("u1");
    ops.event("wine_added", { colour: "red", email: "anna@wine.example" });
    ops.metric("wines_total", 1200);
    ops.feedback("The label is wrong");
    const caught = new Error("caught");
    ops.error(caught);
    // The same again, as frameworks do that catch errors and tell of them.
    reportError(caught);
  });
  await painted(opened);
  await opened.evaluate(() => shift());
  for (const button of ["pour", "order", "shelve"]) {
    const thrown = button === "shelve" ? undefined : once(opened, "pageerror");
    await opened.click(`#${button}`);
    await thrown;
  }
  await painted(opened);
  await opened.close();

  const found = await arrived(key, 13);
  assert.deepEqual(short(found), [
    "error Error", "error RangeError", "error TypeError",
    "event wine_added", "feedback feedback", "metric wines_total 1200",
    "page_view /cellar", "page_view /cellar/[id]",
    "web_vital CLS", "web_vital FCP", "web_vital INP", "web_vital LCP", "web_vital TTFB",
  ]);
  for (const { release, environment, source } of found) {
    assert.deepEqual([release, environment, source], ["wine@1.4.2", "production", "own"]);
  }
  const [error] = said(found, "TypeError");
  assert.equal(error.detail.message, "no wine for [removed]");
  assert.deepEqual([error.detail.handled, error.detail.transaction], [false, "/cellar"]);
  assert.match(error.detail.stack, /\/visit\.js:\d+:\d+/);
  assert.equal(said(found, "RangeError")[0].detail.message, "order 17 is out of range");
  for (const { name, value, detail } of found.filter(({ kind }) => kind === "web_vital")) {
    assert.equal(detail.path, "/cellar", name);
    const [least, most] = { CLS: [0.01, 1], INP: [80, 5000] }[name] ?? [1, 10_000];
    assert.ok(value >= least && value <= most, `${name} ${value}`);
  }
  assert.deepEqual([...new Set(found.map(({ person }) => person))], ["u1"]);
  assert.equal(new Set(found.map(({ session }) => session)).size, 1);
  assert.ok(found[0].session);
  assert.doesNotMatch(JSON.stringify(found), /anna@|abcdef/);
  assert.deepEqual(complaints, []);
});

test("what is said while a page goes away is not lost", async () => {
  const key = addKey("leaving");
  add("/leaving", key);
  const context = await visitor(browser);
  // Whoever listens later hears later that the page is hidden.
  const last = () => {
    for (const event of ["visibilitychange", "pagehide"]) addEventListener(event, () => ops.event(event));
  };
  const closed = await visit(context, "/leaving");
  await closed.opened.evaluate(last);
  await closed.opened.close();
  const left = await visit(context, "/leaving");
  await left.opened.evaluate(last);
  await left.opened.goto("about:blank");

  assert.deepEqual(short(await arrived(key, 6)), [
    "event pagehide", "event pagehide", "event visibilitychange", "event visibilitychange",
    "page_view /leaving", "page_view /leaving",
  ]);
});

test("a page that is made ready is a visit once somebody sees it", async (context) => {
  const key = addKey("ready");
  const paths = ["/seen", "/unseen"];
  const waited = new Set(paths);
  for (const path of paths) {
    files[path] = page(`<script src="/visit.js" data-door="${key.url}"></script>
      <script>if (document.prerendering) fetch("/ready${path}");</script>`);
    Object.defineProperty(files, `/ready${path}`, { get: () => void waited.delete(path) });
  }
  Object.defineProperty(files, "/ready", { get: () => (waited.size ? undefined : page("")) });
  files["/start"] = page(`<script type="speculationrules">{ "prerender": [{ "urls": ${JSON.stringify(paths)} }] }</script>
    <script type="module">
      while (!(await fetch("/ready")).ok) await new Promise((done) => setTimeout(done, 50));
      location.href = "/seen";
    </script>`);
  // A browser whose pages are looked into makes none ready.
  browseUnwatched(`${origin}/start`, context);
  assert.deepEqual(short(await arrived(key, 1)), ["page_view /seen"]);
});

test("more than a browser sends of a page that is left comes all the same", async () => {
  const key = addKey("storm");
  add("/storm", key);
  const { opened } = await visit(await visitor(browser), "/storm");
  await opened.evaluate(() => {
    for (let nth = 0; nth < 40; nth += 1) ops.event(`storm ${nth}`, { text: "Rebstöcke ".repeat(300) });
    // One that is larger than any page may leave behind.
    ops.event("storm large", Object.fromEntries(Array.from({ length: 20 }, (_, nth) => [`part ${nth}`, "x".repeat(4000)])));
  });
  await opened.evaluate(() => ops.flush());
  await opened.close();
  const found = (await arrived(key, 42)).filter(({ kind }) => kind === "event");
  assert.equal(new Set(found.map(({ name }) => name)).size, 41);
  assert.equal(found.length, 41);
});

test("of nobody who has not consented it is told who they are, and of nobody who took it back", async () => {
  const key = addKey("consent");
  add("/consent", key);
  const context = await visitor(browser);
  const { opened } = await visit(context, "/consent");
  await opened.evaluate(async () => {
    ops.identify("u1");
    ops.event("1 before");
    await ops.flush();
    ops.consent(true);
    ops.event("2 with");
    await ops.flush();
    ops.event("3 with, but not sent yet");
    ops.consent(false);
    ops.event("4 after");
    await ops.flush();
  });
  assert.deepEqual(await opened.evaluate(() => ({ ...sessionStorage, ...localStorage })), {});
  await opened.close();
  const found = (await arrived(key, 5)).filter(({ kind }) => kind === "event");
  const who = found.map(({ name, person, session }) => [name, person?.replace(/^v-[0-9a-f]{32}$/, "somebody"), session !== null]);
  assert.deepEqual(who, [
    ["1 before", "somebody", false], ["2 with", "u1", true],
    ["3 with, but not sent yet", "somebody", false], ["4 after", "somebody", false],
  ]);
});

for (const [wish, prepare] of [
  ["Do Not Track", () => settled({ enable_do_not_track: true })],
  // Chromium has no such switch yet: extensions do just this.
  ["Global Privacy Control", async () => {
    const context = await visitor(browser, { extraHTTPHeaders: { "sec-gpc": "1" } });
    await context.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
    return context;
  }],
]) {
  test(`${wish} is obeyed, whatever the app says`, async () => {
    const key = addKey(wish);
    add("/private", key);
    const { opened } = await visit(await prepare(), "/private");
    await opened.evaluate(async () => {
      ops.consent(true);
      ops.identify("u1");
      ops.event("wine_added");
      await ops.flush();
    });
    assert.deepEqual(await opened.evaluate(() => ({ ...sessionStorage })), {});
    await opened.close();
    const found = await arrived(key, 2);
    assert.ok(short(found).includes("event wine_added"));
    for (const { name, person, session } of found) assert.deepEqual([person, session], [null, null], name);
  });
}

test("what cannot be sent comes later, by itself, and of nobody", async () => {
  const key = addKey("offline");
  add("/offline", key);
  const context = await visitor(browser);
  const first = await visit(context, "/offline");
  await first.opened.evaluate(() => ops.flush());
  await context.setOffline(true);
  await first.opened.evaluate(async () => {
    ops.consent(true);
    ops.identify("u1");
    ops.event("1 sent in vain");
    await ops.flush();
    ops.event("2 said before the tab was closed");
  });
  await first.opened.close();
  await context.setOffline(false);
  const second = await visit(context, "/offline");
  await second.opened.evaluate(async () => {
    ops.consent(true);
    ops.identify("u2");
    ops.event("3 online again");
    await ops.flush();
  });
  await second.opened.close();

  const found = (await arrived(key, 5)).filter(({ kind }) => kind === "event");
  assert.deepEqual(short(found), ["event 1 sent in vain", "event 2 said before the tab was closed", "event 3 online again"]);
  const people = found.map(({ person }) => person.replace(/^v-[0-9a-f]{32}$/, "somebody"));
  assert.deepEqual(people, ["somebody", "somebody", "u2"]);
});

test("a page goes on where the door is closed to it, and does not try again", async () => {
  const key = addKey("elsewhere", "--origin", "https://wine.example");
  add("/elsewhere", key);
  const { opened, complaints } = await visit(await visitor(browser), "/elsewhere");
  const broken = [];
  opened.on("pageerror", (error) => broken.push(error));
  await opened.evaluate(() => ops.flush());
  assert.deepEqual(await opened.evaluate(() => ({ ...localStorage })), {});
  assert.deepEqual(broken, []);
  // The browser's own word for it, which no page can prevent.
  assert.ok(complaints.length > 0 && complaints.every((complaint) => complaint.includes("403")), complaints.join());
  await opened.close();
  assert.deepEqual(await arrived(key, 0), []);
});

test("a page that is told to wait waits, and what it had to say waits with it", async () => {
  const key = addKey("quota", "--a-minute", "2");
  add("/quota", key);
  const { opened } = await visit(await visitor(browser), "/quota");
  const sent = [];
  opened.on("request", (request) => request.url().includes("/api/ingest") && sent.push(request));
  await opened.evaluate(async () => {
    await ops.flush();
    for (const nth of [1, 2, 3, 4]) {
      ops.event(`wine ${nth}`);
      await ops.flush();
    }
  });
  const before = sent.length;
  await opened.evaluate(async () => {
    ops.event("wine 5");
    await ops.flush();
  });
  assert.equal(sent.length, before);
  const waiting = await opened.evaluate(() => localStorage.getItem("pourtrait-door"));
  assert.match(waiting, /wine 4.*wine 5/);
  await opened.close();
  assert.equal((await arrived(key, 2)).length, 2);
});

test("a page that does not know where to send sends nothing, whatever it says", async () => {
  files["/nowhere"] = page(`<script src="/visit.js" data-door=""></script>`);
  const { opened, complaints } = await tab(await visitor(browser));
  await opened.goto(`${origin}/nowhere`);
  const sent = [];
  opened.on("request", (request) => sent.push(request.url()));
  await opened.evaluate(async () => {
    for (const work of Object.values(ops)) work(null, null, null);
    await ops.flush();
  });
  await opened.close();
  assert.deepEqual([sent, complaints], [[], []]);
});

test("whatever a page's surroundings are, the module throws nothing into it", async () => {
  const key = addKey("surroundings");
  add("/surroundings", key);
  for (const [nth, surrounding] of [
    () => localStorage.setItem("pourtrait-door", "{\"a\":1}"),
    () => localStorage.setItem("pourtrait-door", "no JSON"),
    () => localStorage.setItem("pourtrait-door", "[1,null,\"no JSON\",{}]"),
    () => delete crypto.randomUUID && Object.defineProperty(Crypto.prototype, "randomUUID", { value: undefined }),
    () => Object.defineProperty(globalThis, "localStorage", { value: {} }),
    () => Object.defineProperty(globalThis, "localStorage", { get: () => { throw new Error("denied"); } }),
    () => Object.defineProperty(globalThis, "sessionStorage", { value: { getItem: () => { throw new Error("denied"); } } }),
    () => Object.defineProperty(navigator, "sendBeacon", { value: () => { throw new Error("denied"); } }),
    () => { Storage.prototype.setItem = () => { throw new Error("full"); }; },
  ].entries()) {
    const context = await visitor(browser);
    await context.addInitScript(surrounding);
    const { opened, complaints } = await tab(context);
    const broken = [];
    opened.on("pageerror", (error) => broken.push(error));
    await opened.goto(`${origin}/surroundings`);
    await opened.evaluate(async (name) => {
      ops.consent(true);
      ops.event(name);
      await ops.flush();
      ops.consent(false);
    }, `event ${nth}`);
    await opened.close();
    assert.deepEqual([broken, complaints], [[], []], surrounding);
  }
  const found = (await arrived(key, 18)).filter(({ kind }) => kind === "event");
  assert.deepEqual(short(found), Array.from({ length: 9 }, (_, nth) => `event event ${nth}`));
});

test("nothing comes twice, or after its time", nothingElseCame);
