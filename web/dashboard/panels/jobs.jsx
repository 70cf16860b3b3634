// The bundle's own work, slot by slot.

import { Slots } from "../charts/slots.jsx";
import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { capital, count, list, number, span } from "../words/numbers.js";
import { odd, told } from "../words/slots.js";

function state({ jobs }) {
  const set = jobs.filter(({ status }) => status !== "not set up");
  if (set.length === 0) return { level: "empty", says: "No job was ever called." };
  const overdue = jobs.filter(({ status }) => status === "overdue").map(({ job }) => job);
  const failed = set.filter(({ lastOutcome }) => lastOutcome === "failed").map(({ job }) => job);
  const missed = jobs.reduce((sum, job) => sum + job.missed24h, 0);
  if (overdue.length > 0) return { level: "bad", says: `Overdue: ${list(overdue)}.` };
  if (failed.length > 0) return { level: "watch", says: `The newest run failed: ${list(failed)}.` };
  return { level: "fine", says: `${count(set.length, "job runs", "jobs run")} as scheduled${missed > 0 ? `; ${count(missed, "slot was", "slots were")} missed in 24 hours` : "; no slot was missed in 24 hours"}.` };
}

function Body({ data }) {
  if (data.jobs.every(({ status }) => status === "not set up")) return <Empty command={"pourtrait schedule install"}>The platform's crons call them, or the database itself:</Empty>;
  const columns = [
    { key: "job", label: "Job", wide: true, value: ({ job }) => job, show: ({ job, status }) => <State is={status} says={capital(job)} /> },
    { key: "every", label: "Every", number: true, minor: true, value: ({ everySeconds }) => everySeconds, show: ({ everySeconds }) => span(everySeconds) },
    { key: "slot", label: "Newest slot", value: ({ lastSlot }) => lastSlot, show: ({ lastSlot }) => <Time at={lastSlot} absolute /> },
    { key: "outcome", label: "Outcome", value: ({ lastOutcome }) => lastOutcome, show: ({ lastOutcome, status }) => lastOutcome ?? status },
    { key: "took", label: "Took", number: true, value: ({ durationMs }) => durationMs, show: ({ durationMs }) => (durationMs == null ? "–" : span(durationMs / 1000)) },
    { key: "missed", label: "Missed, 24 h", number: true, value: ({ missed24h }) => missed24h, show: ({ missed24h }) => number(missed24h) },
  ];
  return (
    <>
      <ul class="strips">
        {data.jobs.filter(({ status }) => status !== "not set up").map(({ job, everySeconds, slots }) => (
          <li key={job}>
            <p>{capital(job)} <span class="muted">every {span(everySeconds)}</span></p>
            <Slots name={capital(job)} every={everySeconds} slots={slots} />
          </li>
        ))}
      </ul>
      <Table caption="Jobs" columns={columns} rows={data.jobs} id={({ job }) => job} open={(job) => <Runs job={job} />} />
    </>
  );
}

function Runs({ job: { lastStartedAt, lastFinishedAt, slots, everySeconds } }) {
  const others = odd(slots, everySeconds);
  return (
    <>
      <p>Started <Time at={lastStartedAt} absolute />, ended <Time at={lastFinishedAt} absolute />.</p>
      {others.length === 0
        ? <p>None of its last {number(slots.outcomes.length)} slots was anything but done.</p>
        : <ul>{others.map(({ at, outcome }) => <li key={at.getTime()}><Time at={at} absolute />: {told(outcome)}</li>)}</ul>}
    </>
  );
}

export default {
  id: "jobs", title: "Jobs", part: "Operation", wide: true, state, Body,
  defines: [
    { name: "Newest slot", path: "jobs", means: "The time for which the newest run was claimed; a slot has one run at most.", rule: "job_overdue" },
    { name: "Slots", path: "jobs", means: "The last sixty times for which the job was to be called, and what became of each: done, partial, failed, abandoned where its run was killed, or missed where nobody called." },
    { name: "Missed", path: "jobs", means: "Slots of 24 hours without a run.", rule: "job_missed" },
    { name: "Took", path: "jobs", means: "How long the newest run took.", rule: "job_slow" },
  ],
};
