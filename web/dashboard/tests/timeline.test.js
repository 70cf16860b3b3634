import assert from "node:assert/strict";
import { test } from "node:test";
import { marks } from "../words/marks.js";
import { reason } from "../words/reasons.js";
import { timeline } from "../words/timeline.js";
import { alert, before, document, incident } from "./document.js";

test("an incident is told from the deployment before it to its end", () => {
  const data = document({
    alerts: { recentAlerts: [alert({ incident: 7, timestamp: before(18), resolvedAt: before(2) }), alert({ incident: 8 })] },
    deployments: [{ at: before(9), event: "rolled_back", deployment: "dpl_2", commit: null }, { at: before(90), event: "promoted", deployment: "dpl_1", commit: null }],
  });
  const told = timeline(incident({
    status: "resolved", resolvedAt: before(1), acknowledgedAt: before(10),
    beganAfter: { deployment: "dpl_1", commit: "4f2a91c0ff", firstSeenAt: before(25), secondsBefore: 300 },
    cause: { side: "ours", by: null, evidence: [{ kind: "bad", service: "app", status: "down", reason: "http_status", statusCode: 503 }] },
  }), data);
  assert.deepEqual(told.map(({ says }) => says), [
    "Deployment 4f2a91c was first seen, 5 min before.", "App was down (answered 503).", "Alert: api slow, api.",
    "Somebody answered.", "Deployment dpl_2 rolled back.", "Over: api slow, api.", "It was over.",
  ]);
});

test("a deployment that reached people is a mark, and without any the first sign of a version is", () => {
  const at = "2026-11-30T10:00:00Z";
  const deployments = [{ at, event: "promoted", deployment: "dpl_1", commit: "4f2a91c0ff" }, { at, event: "created", deployment: "dpl_2", commit: null }];
  assert.deepEqual(marks({ deployments, releases: [] }), [{ at: new Date(at) / 1000, label: "Deployment 4f2a91c" }]);
  assert.deepEqual(marks({ deployments: [], releases: [{ release: "1.2", firstSeen: at }] }), [{ at: new Date(at) / 1000, label: "Version 1.2" }]);
});

test("a word that is not known is a phrase already", () => {
  assert.equal(reason("timeout"), "no answer in time");
  assert.equal(reason("http_status", 502), "answered 502");
  assert.equal(reason("something_new"), "something new");
});
