import assert from "node:assert/strict";
import { test } from "node:test";
import { asks, keeps } from "../words/ladder.js";

test("a rung says whom it asks", () => {
  assert.equal(asks({ level: 1, names: ["Anna"] }), "Anna is asked (level 1)");
  assert.equal(asks({ level: 2, names: ["Anna", "Bob"] }), "Anna and Bob are asked (level 2)");
  assert.equal(asks({ level: null, names: ["email"] }), "The email is sent");
});

test("what keeps a ladder says until when, where that ends by itself", () => {
  const until = "2026-11-30T12:00:00Z";
  assert.equal(keeps({ reason: null, until: null }), null);
  assert.deepEqual(keeps({ reason: "acknowledged", until }), { says: "Somebody has it: nobody else is asked before", until });
  assert.equal(keeps({ reason: "silenced", until }).until, until);
  for (const reason of ["held", "all_asked", "no_contacts", "no_ladder", "not_planned", "something new"]) {
    const { says, until: then } = keeps({ reason, until: null });
    assert.ok(says.endsWith(".") && then == null, says);
  }
});
