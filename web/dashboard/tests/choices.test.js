import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, print, target } from "../state/choices.js";
import { EVERY_MS, pause } from "../state/pace.js";

test("what the address says comes back the same", () => {
  for (const query of ["", "?range=90d", "?range=7d&environment=preview&search=wine+a&zoom=1790000000-1790003600&wall&theme=dark"]) {
    assert.equal(print(parse(query)), query);
  }
});

test("what the address cannot say is as ever", () => {
  const { range, environment, zoom, theme } = parse("?range=2h&environment=moon&zoom=9-1&theme=pink");
  assert.deepEqual([range, environment, zoom, theme], ["24h", "production", null, null]);
});

test("a link points at an incident, an alert or a panel", () => {
  const id = "79bba12a-a01a-4913-b93e-53ad98c33e77";
  assert.deepEqual(target(`#incident=${id}`), { kind: "incident", id });
  assert.deepEqual(target(`#alert=${id.toUpperCase()}`), { kind: "alert", id });
  assert.deepEqual(target("#backups"), { kind: "panel", id: "backups" });
  for (const none of ["", "#incident=x", "#<script>"]) assert.equal(target(none), null, none);
});

test("after failures it waits longer, and never more than minutes", () => {
  assert.equal(pause(0), EVERY_MS);
  assert.equal(pause(1, 0.5), EVERY_MS);
  assert.equal(pause(3, 0.5), EVERY_MS * 4);
  assert.ok(pause(50, 1) <= 5 * 60_000 * 1.15);
});
