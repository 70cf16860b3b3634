import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const FOLDER = new URL("../panels/", import.meta.url);
const page = readFileSync(new URL("../../../public/runbook.html", import.meta.url), "utf8");
const sources = readdirSync(FOLDER).map((name) => [name, readFileSync(new URL(name, FOLDER), "utf8")]);
sources.push(["headline.js", readFileSync(new URL("../words/headline.js", import.meta.url), "utf8")]);

test("every entry of the runbook that a number leads to is there", () => {
  const found = sources.flatMap(([name, text]) => [...text.matchAll(/(?:rule: |runbook\(|: )"([a-z]+_[a-z_]+)"/g)].map(([, rule]) => [name, rule]));
  assert.ok(found.length > 30, String(found.length));
  for (const [name, rule] of found) assert.ok(page.includes(`id="${rule}"`) || /^(not_set_up|rolled_back|stand_in)$/.test(rule), `${name}: ${rule}`);
});

test("every panel stands in the list", () => {
  const list = readFileSync(new URL("all.js", FOLDER), "utf8");
  for (const [name] of sources) if (name.endsWith(".jsx")) assert.ok(list.includes(`"./${name}"`), name);
});
