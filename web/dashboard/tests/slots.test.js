import assert from "node:assert/strict";
import { test } from "node:test";
import { odd, sum, told } from "../words/slots.js";

const slots = (outcomes) => ({ from: "2026-11-30T12:00:00Z", outcomes });

test("what became of slots is one sentence", () => {
  assert.equal(sum(slots([null, null])), "No slot was called yet.");
  assert.equal(sum(slots(["done", null])), "1 of 1 slot was done.");
  assert.equal(sum(slots([null, "done", "missed", "failed", "missed", "done"])), "2 of 5 slots were done; 2 missed and 1 failed.");
});

test("slots that were not done are listed with their times, the newest first", () => {
  const found = odd(slots(["done", "missed", null, "partial"]), 60).map(({ outcome, at }) => `${outcome} ${at.toISOString()}`);
  assert.deepEqual(found, ["partial 2026-11-30T12:03:00.000Z", "missed 2026-11-30T12:01:00.000Z"]);
});

test("every outcome has words", () => {
  for (const outcome of ["done", "partial", "failed", "missed", "running", "abandoned", null, "new one"]) assert.ok(told(outcome).length > 3, outcome);
});
