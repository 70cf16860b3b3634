// What a browser reports by itself reaches the door with the headers of its guide. Run by
// `npm test` against a bundle on this machine.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { addKey, arrived, drops } from "./door.js";
import { browse, certify, encrypt, page, serve, tab, visitor } from "./site.js";

const files = {
  "/favicon.ico": { text: "" },
  "/other": page(""),
  "/broken": null,
  "/deprecated.js": {
    headers: { "content-type": "text/javascript" },
    text: `
      const request = new XMLHttpRequest();
      request.open("GET", "/other?token=abcdef", false);
      request.send();
      navigator.vibrate(100);
      navigator.geolocation.getCurrentPosition(() => {}, () => {});
      fetch("/broken?token=abcdef").catch(() => {});
    `,
  },
};
const { certificate, flag } = certify();
let browser;
let origin;
let door;

before(async () => {
  // Only pages that are encrypted may report to addresses that are.
  origin = await serve(files, certificate);
  door = await encrypt(process.env.BASE_URL, certificate);
  // Without it reports are gathered for up to a minute.
  browser = await browse("--short-reporting-delay", flag);
});

const BLOCKED = `<script>alert(1)</script><img src="https://evil.example/x.png?token=abcdef">`;

// Opens a page with those headers, in which DOOR is where the key sends.
async function report(purpose, body, headers) {
  const key = addKey(purpose, "--origin", origin);
  const { pathname, search } = new URL(key.url);
  const path = `/cellar-${key.id}`;
  const named = Object.entries(headers).map(([name, value]) => [name, value.replaceAll("DOOR", door + pathname + search)]);
  files[path] = page(body, Object.fromEntries(named));
  const { opened } = await tab(await visitor(browser));
  await opened.goto(`${origin}${path}?token=abcdef`);
  return { key, path, opened };
}

// What is the same of each report, and what it says.
function told(found, path) {
  const visitors = new Set(found.map(({ person }) => person));
  assert.ok(visitors.size === 1 && /^v-[0-9a-f]{32}$/.test([...visitors][0]), [...visitors].join());
  assert.doesNotMatch(JSON.stringify(found), /abcdef|Chrome/);
  return found.map(({ kind, source, name, detail }) => {
    assert.deepEqual([kind, source], ["report", "reports"]);
    return [name, detail.page === path ? "here" : detail.page, detail];
  });
}

const violations = (path, more) => ["https://evil.example", "inline"].map((blocked) => [
  "csp-violation", "here",
  {
    page: path, source: path, blocked, disposition: "enforce",
    directive: blocked === "inline" ? "script-src-elem" : "img-src", ...more,
  },
]);

test("violations are told by report-uri", async () => {
  const { key, path, opened } = await report("report-uri", BLOCKED, {
    "content-security-policy": "default-src 'self'; report-uri DOOR",
  });
  const found = told(await arrived(key, 2), path);
  await opened.close();
  found.sort(([, , one], [, , other]) => one.blocked.localeCompare(other.blocked));
  assert.deepEqual(found, violations(path));
});

test("what a browser has to say is told by the headers of the guide, each once", async () => {
  const { key, path, opened } = await report("report-to", `${BLOCKED}<script src="/deprecated.js"></script>`, {
    "reporting-endpoints": `default="DOOR"`,
    "report-to": `{"group":"default","max_age":86400,"endpoints":[{"url":"DOOR"}]}`,
    "content-security-policy": "default-src 'self'; report-to default; report-uri DOOR",
    "permissions-policy": "geolocation=()",
    nel: `{"report_to":"default","max_age":86400}`,
  });
  const names = ["csp-violation", "deprecation", "intervention", "network-error", "permissions-policy-violation"];
  const all = (found) => names.every((name) => found.some((item) => item.name === name));
  const found = told(await arrived(key, all), path);
  await opened.close();
  assert.deepEqual([...new Set(found.map(([name]) => name))], names);
  const details = (name) => found.filter((item) => item[0] === name).map(([, , detail]) => detail);
  const blocked = details("csp-violation").map((detail) => detail.blocked);
  assert.deepEqual(blocked.sort(), ["https://evil.example", "inline"]);
  for (const name of ["deprecation", "intervention", "permissions-policy-violation"]) {
    assert.deepEqual(details(name).map((detail) => [detail.page, detail.sourceFile]), [[path, `${origin}/deprecated.js`]]);
  }
  assert.equal(details("deprecation")[0].id, "XMLHttpRequestSynchronousInNonWorkerOutsideBeforeUnload");
  // The browser tries several times before it gives up.
  for (const detail of details("network-error")) {
    assert.deepEqual([detail.page, detail.method, detail.sampling_fraction], ["/broken", "GET", 1]);
    assert.match(detail.type, /^(tcp|http\.response)\./);
  }
  assert.deepEqual(drops(key), {});
});

test("a page that crashed is told of by the browser", async () => {
  const { key, path, opened } = await report("crash", "", { "reporting-endpoints": `default="DOOR"` });
  const crashed = opened.waitForEvent("crash");
  opened.goto("chrome://crash").catch(() => {});
  await crashed;
  const found = told(await arrived(key, 1), path);
  assert.deepEqual(found.map(([name, where]) => [name, where]), [["crash", "here"]]);
});
