// What would be lost now, whether it could be brought back, and how long that takes.

import { Meter } from "../charts/meter.jsx";
import { Empty } from "../parts/empty.jsx";
import { Figure, Figures } from "../parts/figure.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { bytes, count, number, percent, span } from "../words/numbers.js";
import { rough } from "../words/times.js";

function text(value) {
  const { value: amount, unit } = bytes(value);
  return `${amount} ${unit}`.trim();
}

/** What a backup has of the files of Storage. */
function kept({ keptBytes, waiting, failed, rowsWithoutFile }) {
  const open = [[waiting, "wait"], [failed, "are not given"], [rowsWithoutFile, "have a row and no file"]];
  return [text(keptBytes), ...open.filter(([files]) => files > 0).map(([files, what]) => `${number(files)} ${what}`)].join(", ");
}

/** How long the last restore took that was measured, by a drill or for real. */
function restored({ drills, restores }) {
  if (drills.last?.seconds != null) return { seconds: drills.last.seconds, at: drills.last.finishedAt };
  return restores[0] ? { seconds: restores[0].seconds, at: restores[0].restoredAt } : null;
}

function state({ backups }) {
  if (backups == null) return { level: "empty", says: "No backup was ever made." };
  const age = backups.ageSeconds == null ? "" : `If the database vanished now, ${rough(backups.ageSeconds)} would be lost; ${span(backups.rpoSeconds)} may be. `;
  const last = restored(backups);
  const proof = last ? `The last measured restore took ${span(last.seconds)}, where ${span(backups.drills.rtoSeconds)} may be taken.` : "No restore was ever tried.";
  const damaged = backups.verifications.status === "damaged" ? ` ${backups.reread.damages[0]?.snapshot ?? backups.verifications.last?.snapshot ?? "A backup"} is damaged in its store.` : "";
  const open = backups.gaps.filter(({ accepted }) => !accepted).length;
  const left = open > 0 ? ` It leaves out ${count(open, "thing")} that nobody has accepted.` : "";
  const level = { ok: "fine", waiting: "unknown", overdue: "bad", failing: "bad", suspect: "bad" }[backups.status] ?? "unknown";
  const kept = [backups.application, backups.collection, backups.replica, backups.reread, backups.receipts].some(({ status }) => ["overdue", "incomplete", "failed", "behind", "broken"].includes(status)) ? "watch" : "fine";
  const tried = { failed: "bad", overdue: "watch", not_set_up: "watch" }[backups.drills.status] ?? "fine";
  if (damaged) return { level: "bad", says: age + proof + damaged + left };
  return { level: level === "fine" ? (open > 0 ? "watch" : tried === "fine" ? kept : tried) : level, says: age + proof + left };
}

function Body({ data }) {
  const { backups } = data;
  if (backups == null) return <Empty command={"pourtrait backup keygen\npourtrait backup init"}>Make keys and a repository; the schedule does the rest:</Empty>;
  const [newest] = backups.runs.filter(({ outcome }) => outcome === "done");
  const last = restored(backups);
  const { drills, verifications, reread, application, collection, replica, files, receipts } = backups;
  const held = collection.lastWhole?.figures;
  const columns = [
    { key: "when", label: "Run", value: ({ takenAt, slot }) => takenAt ?? slot, wide: true, show: ({ takenAt, slot, outcome, suspect }) => <><State is={suspect ? "suspect" : outcome} quiet /> <Time at={takenAt ?? slot} /></> },
    { key: "outcome", label: "Outcome", value: ({ outcome }) => outcome, show: ({ outcome, reason, suspect }) => reason ?? suspect ?? outcome },
    { key: "rows", label: "Rows", number: true, minor: true, value: ({ rows }) => rows, show: ({ rows }) => number(rows) },
    { key: "read", label: "Read", number: true, minor: true, value: ({ bytesRead }) => bytesRead, show: ({ bytesRead }) => text(bytesRead) },
    { key: "unread", label: "Unchanged", number: true, minor: true, value: ({ bytesTakenOver }) => bytesTakenOver, show: ({ bytesTakenOver }) => text(bytesTakenOver) },
    { key: "stored", label: "Stored", number: true, value: ({ bytesStored }) => bytesStored, show: ({ bytesStored }) => text(bytesStored) },
    { key: "reused", label: "Reused", number: true, value: ({ reusedPercent }) => reusedPercent, show: ({ reusedPercent }) => (reusedPercent == null ? "–" : `${percent(reusedPercent)} %`) },
    { key: "took", label: "Took", number: true, minor: true, value: ({ durationMs }) => durationMs, show: ({ durationMs }) => span(durationMs / 1000) },
  ];
  return (
    <>
      <ul class="budgets">
        {backups.ageSeconds != null && (
          <li>
            <span>Age against what may be lost</span>
            <Meter value={Math.min(backups.ageSeconds, backups.rpoSeconds * 1.5)} most={backups.rpoSeconds * 1.5} limit={backups.rpoSeconds} level={backups.ageSeconds > backups.rpoSeconds ? "bad" : "fine"} label={`${span(backups.ageSeconds)} of ${span(backups.rpoSeconds)}`} />
            <span class="muted"><span class="number">{span(backups.ageSeconds)}</span> of {span(backups.rpoSeconds)}</span>
          </li>
        )}
        {last && (
          <li>
            <span>Restore against what may be taken</span>
            <Meter value={Math.min(last.seconds, drills.rtoSeconds * 1.5)} most={drills.rtoSeconds * 1.5} limit={drills.rtoSeconds} level={last.seconds > drills.rtoSeconds ? "bad" : "fine"} label={`${span(last.seconds)} of ${span(drills.rtoSeconds)}`} />
            <span class="muted"><span class="number">{span(last.seconds)}</span> of {span(drills.rtoSeconds)}, <Time at={last.at} /></span>
          </li>
        )}
      </ul>
      <Figures>
        <Figure label="Newest" value={<Time at={backups.lastBackupAt} />} more={newest?.snapshot && <code>{newest.snapshot}</code>} />
        <Figure label="Rows" value={number(newest?.rows)} />
        <Figure label="Read" value={bytes(newest?.bytesRead)}
          more={newest?.bytesTakenOver != null && `${text(newest.bytesTakenOver)} unchanged, ${count(newest.tablesWhole, "table")} whole, checksums ${span(newest.checksumMs / 1000)}`} />
        <Figure label="Stored anew" value={bytes(newest?.bytesStored)} more={newest?.reusedPercent != null && `${percent(newest.reusedPercent)} % reused`} />
        <Figure label="Read in a month" value={bytes(backups.projectedMonthlyEgressBytes)}
          more={backups.projectedMonthlyEgressCost != null && `${number(backups.projectedMonthlyEgressCost)} USD of egress`} />
        <Figure label="Tried" value={drills.last ? drills.last.outcome : "never"} level={drills.status === "failed" ? "bad" : "fine"}
          more={drills.last ? <><Time at={drills.last.finishedAt} />, {count(drills.last.tables, "table")}</> : `due every ${count(drills.everyDays, "day")}`} />
        <Figure label="Restores in a month" value={drills.forecast ? span(60 * drills.forecast.inAMonthMinutes) : "not known"} level={drills.forecast && 60 * drills.forecast.inAMonthMinutes > drills.rtoSeconds ? "bad" : "fine"}
          more={drills.forecast && <>by {count(drills.forecast.drills, "drill")}{drills.forecast.exceedsAt && <>; too long from <Time at={drills.forecast.exceedsAt} /></>}</>} />
        <Figure label="Due next" value={<Due schedule={drills.schedule} />} more={asked(drills.dispatches) ?? (drills.schedule.length === 0 && "nothing was ever tried")} />
        <Figure label="Read in its store" value={verifications.last ? verifications.last.outcome : "never"} level={verifications.status === "damaged" ? "bad" : "fine"}
          more={verifications.last && <><Time at={verifications.last.finishedAt} />, {count(verifications.last.objects, "object")}</>} />
        <Figure label="Read again" value={covered(reread)} level={reread.status === "behind" ? "bad" : "fine"}
          more={reread.oldestAt && <>of {count(reread.objects, "object")} in {count(reread.days, "day")}; the longest wait since <Time at={reread.oldestAt} /></>} />
        <Figure label="Application" value={application.last ? <Time at={application.last.takenAt} /> : "never kept"} level={application.status === "overdue" ? "bad" : "fine"}
          more={application.last && `${count(application.last.documents.length, "document")}${application.last.repositoryBytes == null ? "" : ", with the repository"}`} />
        <Figure label="Files of Storage" value={files.last ? `${number(files.last.kept)} of ${number(files.last.files)}` : "none kept"} level={["behind", "rows_without_file"].includes(files.status) ? "bad" : "fine"}
          more={files.last && kept(files.last)} />
        <Figure label="Copy behind by" value={replica.lagMinutes == null ? "no copy" : span(60 * replica.lagMinutes)} level={replica.status === "behind" ? "bad" : "fine"}
          more={replica.place && <>{replica.place}{replica.copiedAt && <>, <Time at={replica.copiedAt} /></>}</>} />
        <Figure label="Kept" value={held ? number(held.kept) : collection.status === "off" ? "all" : "not counted"} level={collection.status === "overdue" ? "bad" : "fine"}
          more={held && <>{rungs(held)}; {number(held.inTrash)} in the trash{held.oldestAt && <>; the oldest <Time at={held.oldestAt} /></>}</>} />
        <Figure label="Lock" value={LOCKS[collection.lock?.found] ?? "none"} level={collection.lock?.found === "gone" ? "bad" : "fine"}
          more={collection.lock && <>tried with our own key <Time at={collection.lock.at} /></>} />
        <Figure label="Receipts" value={number(receipts.receipts)} level={receipts.status === "broken" ? "bad" : "fine"}
          more={<>in 30 days, {chain(receipts)}; {receipts.lastReview ? <>reviewed <Time at={receipts.lastReview.at} /></> : "never reviewed"}</>} />
        <Figure label="In the store" value={bytes(held?.stored.bytes)} more={held && <>{text(held.unneeded.bytes)} of it are going, <Time at={collection.lastWhole.finishedAt} /></>} />
      </Figures>
      {["frozen", "refused", "failed", "overdue"].includes(collection.status) && collection.last?.reason && <p class="reason">Old backups are not deleted: {collection.last.reason}</p>}
      {replica.trouble && <p class="reason">Not copied: {replica.trouble}</p>}
      {receipts.faults.slice(0, 1).map(({ what, why }) => <p class="reason">Receipts: {what}: {why}</p>)}
      {files.last?.reason && files.status !== "ok" && <p class="reason">Files of Storage: {files.last.reason}</p>}
      {drills.last == null && <Empty command={"pourtrait backup drill --own-server"}>A backup that was never restored is a hope. To restore the newest into a scratch database and compare:</Empty>}
      {drills.last?.reason && <p class="reason">{drills.last.reason}</p>}
      <Table caption="Runs" columns={columns} rows={backups.runs} id={({ run }) => run} sorted={{ key: "when", down: true }} />
      <Left gaps={backups.gaps} missing={drills.last?.missing ?? []} faults={damages(backups)} missed={application.missed} elsewhere={backups.notCovered} />
    </>
  );
}

const LEVELS = { 2: "opened", 3: "restored", 4: "by stock tools" };

/** What is to be tried next, of what was ever tried. */
function Due({ schedule }) {
  const [next] = [...schedule].sort((one, other) => (one.dueAt < other.dueAt ? -1 : 1));
  return next ? <>{LEVELS[next.level]}, <Time at={next.dueAt} /></> : "not yet";
}

/** What the platform did not start when it was asked to. */
function asked(dispatches) {
  const refused = dispatches.find(({ started }) => started === false);
  return refused && `GitHub did not start it: ${refused.answer}`;
}

/** How much of what has been there for long was read in its days. */
function covered({ status, objectsOld, objectsOldRead }) {
  if (status === "off" || status === "not_set_up") return status === "off" ? "off" : "not yet";
  return objectsOld > 0 ? `${percent((100 * objectsOldRead) / objectsOld)} %` : "all is new";
}

/** What became of a trial object that our own key deleted. */
const LOCKS = { refused: "holds", hidden: "keeps versions", gone: "open" };

/** Whether the chain of receipts is whole. */
function chain({ status, verifiedAt, brokenSince }) {
  if (status === "broken") return <>broken since <Time at={brokenSince} /></>;
  return status === "whole" ? <>whole <Time at={verifiedAt} /></> : "never verified";
}

/** How many backups each rung keeps, as far as it keeps any. */
function rungs({ rungs: kept, pinned }) {
  const named = ["hourly", "daily", "weekly", "monthly", "yearly"].filter((rung) => kept[rung] > 0).map((rung) => `${number(kept[rung])} ${rung}`);
  return [...named, ...(pinned > 0 ? [`${number(pinned)} pinned`] : [])].join(", ");
}

/** What is damaged: what runs found, else what the verification did that says so. */
function damages({ verifications, reread }) {
  if (reread.damages.length > 0) return reread.damages;
  return verifications.status === "damaged" ? verifications.last?.faults ?? [] : [];
}

function Left({ gaps, missing, faults, missed, elsewhere }) {
  const all = [
    ...gaps.map(({ what, why, accepted }) => ({ what, why, accepted, kind: "left out" })),
    ...missing.map(({ what, reason, accepted }) => ({ what, why: reason, accepted, kind: "could not be made by the drill" })),
    ...faults.map(({ what, why }) => ({ what, why, accepted: false, kind: "damaged in the store" })),
    ...missed.map(({ what, why, accepted }) => ({ what, why, accepted, kind: "not read for the application's archive" })),
    ...elsewhere.map(({ what, why }) => ({ what, why, accepted: true, kind: "not covered: it comes from elsewhere" })),
  ];
  if (all.length === 0) return null;
  const columns = [
    { key: "what", label: "What is missing", wide: true, value: ({ what }) => what, show: ({ what }) => <code>{what}</code> },
    { key: "why", label: "Why", minor: true, value: ({ why }) => why ?? "" },
    { key: "kind", label: "Where", minor: true, value: ({ kind }) => kind },
    { key: "accepted", label: "Accepted", value: ({ accepted }) => (accepted ? "yes" : "no") },
  ];
  return <Table caption="What backups leave out" columns={columns} rows={all} id={({ what, kind }) => kind + what} />;
}

export default {
  id: "backups", title: "Backups", part: "Recovery", wide: true, state, Body,
  defines: [
    { name: "Age", path: "backups.ageSeconds", means: "From the newest backup's snapshot until now: what would be lost.", rule: "backup_rpo_breached" },
    { name: "What may be lost (RPO)", path: "backups.rpoSeconds", means: "How much may be lost at most.", rule: "backup_overdue" },
    { name: "Unchanged", path: "backups.runs", means: "Rows that were not read: the server's checksums said that they are as the backup before has them." },
    { name: "Read in a month", path: "backups.projectedMonthlyEgressBytes", means: "What leaves the database in 30 days of runs like those of the last week, and its price beyond what the plan includes." },
    { name: "Reused", path: "backups.runs", means: "Of the bytes in the backup, those that did not have to be stored." },
    { name: "Restore (RTO)", path: "backups.drills", means: "How long the last measured restore took with its comparison, and how long it may take.", rule: "backup_drill_overdue" },
    { name: "Restores in a month", path: "backups.drills", means: "What a restore of everything will take in thirty days, by the line through the drills of half a year.", rule: "backup_rto_trend" },
    { name: "Due next", path: "backups.drills", means: "When a backup is opened, restored, or restored by stock tools next, and what GitHub answered when it was asked for that.", rule: "backup_verification_overdue" },
    { name: "Suspect", path: "backups.status", means: "It was sealed, and may not hold what it should.", rule: "backup_suspect" },
    { name: "Read in its store", path: "backups.verifications", means: "The last verification of the objects of a backup, or the one that found a damage that stands.", rule: "backup_damaged" },
    { name: "Read again", path: "backups.reread", means: "Of the objects that have been in the store for a round's days, those that were read and compared with their hashes within them.", rule: "backup_reread_behind" },
    { name: "Application", path: "backups.application", means: "The newest archive of how the platforms are set up, and of the repository.", rule: "application_archive_overdue" },
    { name: "Copy behind by", path: "backups.replica", means: "How much older the newest backup is that lies in the other place.", rule: "backup_replica_behind" },
    { name: "Kept", path: "backups.collection", means: "Backups that the ladder keeps, by rung, and how the last collection of the others ended. One may stand on several rungs.", rule: "backup_collection_overdue" },
    { name: "Files of Storage", path: "backups.files", means: "How many of the files that have a row the newest backup has; the rest waits for the next runs, oldest first.", rule: "storage_files_unsaved" },
    { name: "Lock", path: "backups.collection", means: "What the store did when our own key deleted a trial object, once a week where it is said to lock what is written: it refused, it hid the object and kept its version, or the object was gone.", rule: "backup_lock_open" },
    { name: "Receipts", path: "backups.receipts", means: "Signed receipts of what was done with backups in 30 days, whether none is missing or altered, and when somebody signed a period off.", rule: "backup_receipts_broken" },
    { name: "What is missing", path: "backups.gaps", means: "What of the app's a backup cannot hold, by name.", rule: "backup_gap" },
  ],
};
