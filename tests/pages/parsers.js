// What the status page offers to readers of others, read by stock parsers: feedparser, icalendar
// and an XML parser, which are fetched with pip and pinned by hash. People's words go the whole
// way: what would break a feed is in them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { before, test } from "node:test";
import { BASE, data, fault, pourtrait, tick } from "./browser.js";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const TOOLS = here("../../target/parsers");
const WORDS = "We <b>found</b> it ]]> & mend it; 5 < 6, \\ \"so\".\nÀ bientôt 🍷, " + "line after line, ".repeat(12);

let found;
let number;

before(async () => {
  if (!existsSync(`${TOOLS}/bin/pip`)) execFileSync("python3", ["-m", "venv", TOOLS]);
  execFileSync(`${TOOLS}/bin/pip`, ["install", "--quiet", "--require-hashes", "--requirement", here("parsers-requirements.txt")]);
  await fault("app", "refuse");
  await tick(3);
  ({ number } = (await data()).incidents.find(({ status }) => status !== "resolved"));
  pourtrait("incidents", "update", String(number), "--status", "identified", "--public", WORDS);
  await fault("app", "ok");
  await tick(3);
  const at = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 19) + "Z";
  pourtrait("maintenance", "add", "--from", at(24), "--until", at(25), "--reason", "zz-inside", "--public", WORDS, "--public-title", "Moving; house, \\ really");
  // The network keeps the page for half a minute, an instance for some seconds.
  const until = Date.now() + 40_000;
  const isNew = () => found.calendar.events.some(({ summary }) => summary.startsWith("Moving")) && ["atom", "rss", "ofApp"].every((name) => found[name].entries.some(hasWords));
  do found = JSON.parse(execFileSync(`${TOOLS}/bin/python`, [here("parsers.py"), BASE], { encoding: "utf8" }));
  while (!isNew() && Date.now() < until);
});

const text = WORDS.replace(/\n/g, " ").slice(0, 40);
const hasWords = (entry) => plain(entry.text).includes(text);
const plain = (html) => html.replace(/<[^>]*>/g, " ").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&").replaceAll("&quot;", '"').replace(/\s+/g, " ");

for (const [name, version] of [["atom", "atom10"], ["rss", "rss20"], ["ofApp", "atom10"]]) {
  test(`${name} is read without a complaint, and says what people wrote`, () => {
    const feed = found[name];
    assert.deepEqual([feed.version, feed.bozo], [version, ""]);
    assert.ok(feed.entries.length > 0 && feed.entries.length <= 50);
    assert.equal(new Set(feed.entries.map(({ id }) => id)).size, feed.entries.length, "every entry has an id of its own");
    assert.ok(feed.entries.every(({ link, at }) => link.startsWith(BASE) && at[0] >= 2026), JSON.stringify(feed.entries[0]));
    assert.ok(feed.entries.some(hasWords), feed.entries.map((entry) => entry.text).join("\n"));
    assert.ok(!JSON.stringify(feed).includes("zz-inside"));
  });
}

test("the JSON feed has what its version asks for", () => {
  const { version, title, home_page_url: page, feed_url: own, items } = found.json;
  assert.equal(version, "https://jsonfeed.org/version/1.1");
  assert.ok(title && page.startsWith(BASE) && own.endsWith("/status/feed.json"));
  for (const item of items) {
    assert.ok(typeof item.id === "string" && (item.content_text ?? item.content_html) && !Number.isNaN(Date.parse(item.date_published)), JSON.stringify(item));
  }
});

test("the calendar is read without a complaint, folded and with the words as they were", () => {
  const { errors, version, longest, bare, events } = found.calendar;
  assert.deepEqual([errors, version, bare], [[], "2.0", 0]);
  assert.ok(longest <= 75, `${longest} octets`);
  const moving = events.find(({ summary }) => summary.includes("Moving; house, \\ really"));
  assert.ok(moving, JSON.stringify(events));
  assert.ok(moving.description.replace(/\s+/g, " ").includes(text), moving.description);
  assert.equal(Date.parse(moving.end) - Date.parse(moving.start), 3_600_000);
  assert.ok(moving.sequence >= 0 && ["CONFIRMED", "TENTATIVE"].includes(moving.status));
});

test("the badge is a picture with a name and no script, and shields says the same", () => {
  const { root, role, label, title, scripts, texts } = found.badge;
  assert.deepEqual([root, role, scripts, title], ["{http://www.w3.org/2000/svg}svg", "img", 0, label]);
  const { schemaVersion, message } = found.shields;
  assert.equal(schemaVersion, 1);
  assert.ok(label.includes(message) && texts.includes(message), JSON.stringify(found.badge));
});
