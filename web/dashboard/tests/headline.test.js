import assert from "node:assert/strict";
import { test } from "node:test";
import { headline } from "../words/headline.js";
import { clock } from "../words/times.js";
import { alert, before, document, incident, now } from "./document.js";

const at = (minutes) => clock(before(minutes), now);
const check = (changed, expected) => {
  const found = headline(document(changed), now);
  for (const [key, value] of Object.entries(expected)) assert.equal(found[key], value, key);
};

test("what is fine is said in few words", () => {
  check({}, { level: "fine", says: "All 2 services work.", details: "Nothing is open.", next: "" });
  check({ incidents: [incident({ status: "resolved", resolvedAt: before(180) })] }, { level: "fine", details: "Nothing is open; the last incident ended 3 h ago." });
});

test("an open incident says since when, whom it hits, whose it is and what comes next", () => {
  check({ incidents: [incident()] }, {
    level: "bad",
    says: "App down: wine.example.",
    details: `Since ${at(20)}, for 20 min. App suffers. Probably on the side of Supabase. Nobody has it yet.`,
    next: "Next: acknowledge, so that nobody else is woken; then open the runbook.",
    runbook: "/runbook.html#app_down",
  });
});

test("who is on call is named while nobody has it, and who has it afterwards is not asked", () => {
  const onCall = [{ rotation: "primary", name: "Anna", next: null }];
  assert.match(headline(document({ incidents: [incident()], onCall }), now).details, /Nobody has it yet; Anna is on call\.$/);
  const answered = headline(document({ incidents: [incident({ acknowledgedAt: before(10) })], onCall }), now);
  assert.match(answered.details, new RegExp(`Somebody has it since ${at(10)}\\.$`));
  assert.match(answered.next, /^Next: follow the runbook/);
});

test("of several the worst comes first, and of equals the oldest", () => {
  const incidents = [incident({ severity: "high", title: "Newer" }), incident({ severity: "high", title: "Older", startedAt: before(60) })];
  check({ incidents }, { says: "2 things need you. The worst: Older." });
  incidents.push(incident({ title: "Worse", startedAt: before(2) }));
  check({ incidents }, { says: "3 things need you. The worst: Worse." });
  assert.match(headline(document({ incidents }), now).details, /Also: Older and Newer\.$/);
});

test("an alert of an open incident, or one that waits for its cause, is not counted again", () => {
  const recentAlerts = [alert({ incident: 7 }), alert({ heldBy: { rule: "app_down", subject: "app" } })];
  check({ incidents: [incident()], alerts: { recentAlerts } }, { says: "App down: wine.example." });
  check({ alerts: { recentAlerts: [alert()] } }, { level: "bad", says: "Api slow: api.", incident: null });
  check({ alerts: { recentAlerts: [alert({ severity: "medium" })] } }, { level: "watch" });
});

test("where nobody looks, nothing is known, never all well", () => {
  const { systemHealth } = document();
  check({ systemHealth: { ...systemHealth, lastUpdated: before(6) } }, { level: "unknown", says: `Nothing is known since ${at(6)}.` });
  check({ systemHealth: { ...systemHealth, lastUpdated: null } }, { level: "unknown", says: "Nothing was looked at yet." });
});

test("what is bad and not confirmed is said, and that nothing is to be done", () => {
  const { systemHealth } = document();
  const services = { ...systemHealth.services, ai: { status: "unhealthy" } };
  check({ systemHealth: { ...systemHealth, services } }, { level: "watch", says: "AI is down." });
});

test("work that is no alert is somebody's all the same", () => {
  check({ backups: { status: "overdue", runs: [], restores: [], drills: {} } }, { level: "watch", says: "All 2 services work.", details: "Backups are overdue." });
  check({ outbox: { dead: [{}, {}] } }, { level: "watch", details: "2 messages could not be delivered." });
  check({ audit: { clean: false, findings: [{ kind: "stale_jobs" }] } }, { details: "1 thing is left undone.", runbook: "/runbook.html#job_overdue" });
});
