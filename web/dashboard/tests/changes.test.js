import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../words/changes.js";
import { before, document, incident, now } from "./document.js";

const since = now - 30 * 60_000;
const said = (changed) => changes(document(changed), since).map(({ says }) => says);

test("nothing is said where nothing changed", () => assert.deepEqual(said({}), []));

test("an incident is told once, by the last that happened to it", () => {
  assert.deepEqual(said({ incidents: [incident()] }), ["Incident 7, App down: wine.example, began."]);
  assert.deepEqual(said({ incidents: [incident({ detectedAt: before(60), acknowledgedAt: before(2) })] }), ["Incident 7, App down: wine.example, was acknowledged."]);
  assert.deepEqual(said({ incidents: [incident({ status: "resolved", resolvedAt: before(1) })] }), ["Incident 7, App down: wine.example, ended after 20 min."]);
  assert.deepEqual(said({ incidents: [incident({ detectedAt: before(90), status: "resolved", resolvedAt: before(80) })] }), []);
});

test("errors, deployments, versions, restores and access are told, the newest first", () => {
  const found = said({
    issues: { latest: [{ title: "TypeError", firstSeen: before(3), regressedAt: null }, { title: "Old", firstSeen: before(99), regressedAt: before(5) }] },
    deployments: [{ at: before(4), event: "rolled_back", deployment: "dpl_1", commit: "4f2a91c0ff" }],
    releases: [{ release: "1.2", firstSeen: before(9) }],
    backups: { runs: [], restores: [], drills: { last: { finishedAt: before(7), outcome: "good" } } },
    security: { accessChangedAt: before(8) },
  });
  assert.deepEqual(found, [
    "A new error: TypeError.", "Deployment 4f2a91c rolled back.", "An error came back: Old.",
    "A restore was tried: good.", "Who may read what in the database was changed.", "Version 1.2 was seen for the first time.",
  ]);
});
