// What happened in an incident, in order. Pure.

import { rule, service } from "./names.js";
import { capital, list, span } from "./numbers.js";
import { reason } from "./reasons.js";

/** @returns {{at: string, says: string, kind: string}[]} the oldest first */
export function timeline(incident, data) {
  const found = [];
  const add = (at, says, kind = "") => at != null && found.push({ at, says, kind });
  if (incident.beganAfter) {
    const { commit, deployment, firstSeenAt, secondsBefore } = incident.beganAfter;
    add(firstSeenAt, `Deployment ${commit?.slice(0, 7) ?? deployment} was first seen, ${span(secondsBefore)} before.`);
  }
  add(incident.startedAt, beginning(incident), "bad");
  if (incident.openedBy) add(incident.detectedAt, `${incident.openedBy} opened it.`);
  for (const alert of data.alerts.recentAlerts.filter((one) => one.incident === incident.number)) {
    add(alert.timestamp, `Alert: ${rule(alert.type)}${alert.subject ? `, ${alert.subject}` : ""}${alert.heldBy ? ", held back as a consequence" : ""}.`, "bad");
    add(alert.resolvedAt, `Over: ${rule(alert.type)}${alert.subject ? `, ${alert.subject}` : ""}.`, "fine");
  }
  add(incident.acknowledgedAt, "Somebody answered.", "fine");
  for (const { at, event, commit, deployment } of data.deployments ?? []) {
    const isBefore = new Date(at) < new Date(incident.startedAt);
    const isAfter = incident.resolvedAt != null && new Date(at) > new Date(incident.resolvedAt);
    if (!isBefore && !isAfter) add(at, `Deployment ${commit?.slice(0, 7) ?? deployment} ${event.replace(/[_-]/g, " ")}.`);
  }
  add(incident.resolvedAt, incident.resolvedBy ? `${incident.resolvedBy} resolved it.` : "It was over.", "fine");
  return found.sort((one, other) => new Date(one.at) - new Date(other.at));
}

function beginning({ cause, affects }) {
  const bad = (cause?.evidence ?? []).filter(({ kind }) => kind === "bad");
  if (bad.length > 0) {
    return `${capital(list(bad.map((one) => `${service(one.service)} was ${one.status}${one.reason ? ` (${reason(one.reason, one.statusCode)})` : ""}`)))}.`;
  }
  return affects.length > 0 ? `${list(affects.map(service))} began to suffer.` : "It began.";
}
