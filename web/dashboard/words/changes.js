// What changed since somebody last looked, in sentences. Everything in the document carries its
// time, so the time of the last look is all that is remembered.

import { matter } from "./names.js";
import { count } from "./numbers.js";
import { span } from "./numbers.js";

/** More than this is not read. */
const MOST = 6;

/**
 * @param {object} data
 * @param {number} since milliseconds
 * @returns {{at: number, says: string, panel: string}[]} the newest first
 */
export function changes(data, since) {
  const after = (at) => at != null && new Date(at).getTime() > since;
  const found = [];
  const add = (at, panel, says) => found.push({ at: new Date(at).getTime(), panel, says });
  for (const incident of data.incidents ?? []) {
    const name = `Incident ${incident.number}, ${matter(incident)},`;
    if (after(incident.resolvedAt)) {
      add(incident.resolvedAt, "incidents", `${name} ended after ${span(incident.durationSeconds)}.`);
    } else if (after(incident.detectedAt)) add(incident.detectedAt, "incidents", `${name} began.`);
    else if (after(incident.acknowledgedAt)) add(incident.acknowledgedAt, "incidents", `${name} was acknowledged.`);
  }
  for (const issue of data.issues?.latest ?? []) {
    if (after(issue.regressedAt)) add(issue.regressedAt, "issues", `An error came back: ${issue.title}.`);
    else if (after(issue.firstSeen)) add(issue.firstSeen, "issues", `A new error: ${issue.title}.`);
  }
  for (const { at, event, deployment, commit } of data.deployments ?? []) {
    if (after(at)) add(at, "releases", `Deployment ${commit?.slice(0, 7) ?? deployment} ${event.replace(/[_-]/g, " ")}.`);
  }
  for (const { release, firstSeen } of data.releases ?? []) {
    if (after(firstSeen)) add(firstSeen, "releases", `Version ${release} was seen for the first time.`);
  }
  const failed = (data.backups?.runs ?? []).filter(({ outcome, slot }) => outcome === "failed" && after(slot));
  if (failed.length > 0) add(failed[0].slot, "backups", `${count(failed.length, "backup")} failed.`);
  const drill = data.backups?.drills?.last;
  if (drill && after(drill.finishedAt)) add(drill.finishedAt, "backups", `A restore was tried: ${drill.outcome}.`);
  for (const { restoredAt, snapshot } of data.backups?.restores ?? []) {
    if (after(restoredAt)) add(restoredAt, "backups", `The database was restored from ${snapshot}.`);
  }
  const dead = (data.outbox?.dead ?? []).filter(({ at }) => after(at));
  if (dead.length > 0) add(dead[0].at, "messages", `${count(dead.length, "message")} could not be delivered.`);
  if (after(data.security?.accessChangedAt)) add(data.security.accessChangedAt, "security", "Who may read what in the database was changed.");
  return found.sort((one, other) => other.at - one.at).slice(0, MOST);
}
