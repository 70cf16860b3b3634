// The one sentence at the top: is anything wrong, since when, who has it, and what comes next.
// Pure: it knows the document and the time.

import { runbook, matter, service, side } from "./names.js";
import { capital, count, list } from "./numbers.js";
import { clock, rough } from "./times.js";

const SEVERITIES = ["critical", "high", "medium", "low"];

/** Where the runbook has what to do about what is left undone. */
export const AUDIT = {
  unowned_messages: "outbox_stuck",
  untold_alerts: "outbox_stuck",
  overdue_escalations: "outbox_stuck",
  stale_jobs: "job_overdue",
  uncounted_rows: "job_failing",
};

/** After how long without a sample of anything the page says that it knows nothing. */
const BLIND_AFTER_MS = 5 * 60_000;

/**
 * @typedef {object} Headline
 * @property {"fine" | "watch" | "bad" | "unknown"} level
 * @property {string} says what is the matter
 * @property {string} details since when, who has it
 * @property {string} next what to do
 * @property {string | null} runbook where to read on
 * @property {object | null} incident the worst one that is open
 */

/** @returns {Headline} */
export function headline(data, now) {
  const incidents = openIncidents(data);
  const loose = looseAlerts(data);
  const blind = blindSince(data, now);
  if (incidents.length + loose.length > 0) return trouble(data, incidents, loose, now);
  if (blind) return blind;
  return quiet(data, now);
}

/** Incidents that are not over, the worst first, and of equals the oldest. */
export function openIncidents(data) {
  return (data.incidents ?? []).filter(({ status }) => status !== "resolved").sort(worst("startedAt"));
}

/** Alerts that are open, belong to no open incident and wait for nothing. */
export function looseAlerts(data) {
  const numbers = new Set(openIncidents(data).map(({ number }) => number));
  return openAlerts(data)
    .filter(({ incident, heldBy }) => heldBy == null && !numbers.has(incident))
    .sort(worst("timestamp"));
}

/** Alerts that are not resolved. */
export function openAlerts(data) {
  return (data.alerts?.recentAlerts ?? []).filter(({ status }) => status !== "resolved");
}

function worst(since) {
  return (one, other) =>
    SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) || new Date(one[since]) - new Date(other[since]);
}

function trouble(data, incidents, loose, now) {
  const [incident] = incidents;
  const first = incident ?? loose[0];
  const many = incidents.length + loose.length;
  const answered = incident ? incident.acknowledgedAt != null : first.status === "acknowledged";
  const grave = ["critical", "high"].includes(first.severity);
  const rule = first.rule ?? first.type;
  const says = many === 1 ? `${matter(first)}.` : `${count(many, "thing")} need you. The worst: ${matter(first)}.`;
  return {
    level: grave ? "bad" : "watch",
    says,
    details: [since(first, now), blame(incident), owner(data, incident, answered, now), also([...incidents, ...loose].slice(1))].filter(Boolean).join(" "),
    next: answered
      ? `Next: ${rule ? "follow the runbook" : "write what you find"}; a note tells the others.`
      : "Next: acknowledge, so that nobody else is woken; then open the runbook.",
    runbook: rule ? runbook(rule) : null,
    incident: incident ?? null,
    alert: incident ? null : first,
    answered,
  };
}

function since(first, now) {
  const at = first.startedAt ?? first.timestamp;
  const affected = (first.affects ?? []).map(service);
  const hit = affected.length > 0 ? ` ${list(affected)} ${affected.length === 1 ? "suffers" : "suffer"}.` : "";
  return `Since ${clock(at, now)}, for ${rough((now - new Date(at)) / 1000)}.${hit}`;
}

function blame(incident) {
  const known = incident && side(incident.cause?.side);
  return known ? `${incident.cause.by ? "It is" : "Probably"} on ${known === "our own side" ? known : `the side of ${known}`}.` : null;
}

function also(others) {
  if (others.length === 0) return null;
  const named = others.slice(0, 2).map(matter);
  return `Also: ${list(others.length > 2 ? [...named, `${others.length - 2} more`] : named)}.`;
}

function owner(data, incident, answered, now) {
  if (answered) {
    return incident ? `Somebody has it since ${clock(incident.acknowledgedAt, now)}.` : "Somebody has it.";
  }
  const people = [...new Set((data.onCall ?? []).map(({ name }) => name).filter(Boolean))];
  return people.length > 0 ? `Nobody has it yet; ${list(people)} ${people.length === 1 ? "is" : "are"} on call.` : "Nobody has it yet.";
}

function blindSince(data, now) {
  const { lastUpdated, overall } = data.systemHealth;
  const monitor = (data.jobs ?? []).find(({ job }) => job === "monitor");
  if (lastUpdated == null) {
    return {
      level: "unknown", says: "Nothing was looked at yet.", details: "No tick has been recorded.",
      next: "Next: run one by hand, and see that the schedule calls it.", runbook: runbook("monitoring_blind"), incident: null,
    };
  }
  const age = now - new Date(lastUpdated);
  if (age < BLIND_AFTER_MS && overall !== "unknown") return null;
  return {
    level: "unknown",
    says: `Nothing is known since ${clock(lastUpdated, now)}.`,
    details: `The last look was ${rough(age / 1000)} ago${monitor?.lastOutcome ? `; that run was ${monitor.lastOutcome}` : ""}.`,
    next: "Next: see whether the scheduler calls, and whether the database answers.",
    runbook: runbook("monitoring_blind"),
    incident: null,
  };
}

function quiet(data, now) {
  const services = Object.entries(data.systemHealth.services);
  const ill = services.filter(([, { status }]) => status === "unhealthy" || status === "degraded");
  const undone = chores(data);
  if (ill.length > 0) {
    const names = list(ill.map(([name, { status }]) => `${service(name)} is ${status === "unhealthy" ? "down" : "degraded"}`));
    return {
      level: "watch", says: `${names}.`, details: "It is not confirmed yet: an alert opens after three bad looks in a row.",
      next: "Next: nothing yet; the next look comes within a minute.", runbook: null, incident: null,
    };
  }
  const well = `All ${count(services.length, "service")} work.`;
  if (undone.length > 0) {
    return {
      level: "watch", says: well, details: `${capital(list(undone.map(({ says }) => says)))}.`,
      next: undone[0].next, runbook: undone[0].runbook, incident: null,
    };
  }
  const last = (data.incidents ?? []).map(({ resolvedAt }) => new Date(resolvedAt).getTime()).sort((a, b) => b - a)[0];
  return {
    level: "fine",
    says: well,
    details: last ? `Nothing is open; the last incident ended ${rough((now - last) / 1000)} ago.` : "Nothing is open.",
    next: "",
    runbook: null,
    incident: null,
  };
}

/** What is not an alert, and still somebody's work. */
function chores(data) {
  const found = [];
  if (["failing", "overdue", "suspect"].includes(data.backups?.status)) {
    found.push({
      says: `backups are ${data.backups.status}`, runbook: runbook(data.backups.status === "suspect" ? "backup_suspect" : "backup_overdue"),
      next: "Next: look at the newest run of backups below.",
    });
  }
  const dead = data.outbox?.dead?.length ?? 0;
  if (dead > 0) {
    found.push({ says: `${count(dead, "message")} could not be delivered`, runbook: runbook("outbox_stuck"), next: "Next: see why under Messages." });
  }
  if (data.audit && !data.audit.clean) {
    const things = count(data.audit.findings.length, "thing is", "things are");
    found.push({ says: `${things} left undone`, runbook: runbook(AUDIT[data.audit.findings[0].kind] ?? "outbox_stuck"), next: "Next: see Left undone below." });
  }
  return found;
}
