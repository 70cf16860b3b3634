// What calls the jobs: each clock, and whether it still does.

import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { count, list, number, span } from "../words/numbers.js";

const SHAPES = { ok: "ok", silent: "down", gone: "down", new: "unknown" };

function state({ clocks }) {
  if (clocks.length === 0) return { level: "empty", says: "No clock has called yet." };
  const names = (rows) => [...new Set(rows.map(({ clock }) => clock))];
  const all = names(clocks);
  const silent = names(clocks.filter(({ status }) => status === "silent"));
  // A clock that still calls one of its jobs is not missing.
  const missing = silent.filter((name) => clocks.every(({ clock, status }) => clock !== name || status === "silent"));
  if (missing.length >= 2) return { level: "bad", says: `These call nothing any more: ${list(missing)}.` };
  if (silent.length > 0) return { level: "watch", says: `Not as often as before: ${list(silent)}.` };
  const gone = names(clocks.filter(({ status }) => status === "gone"));
  if (gone.length > 0) return { level: "watch", says: `Called once or twice, and never again: ${list(gone)}.` };
  return { level: "fine", says: `${count(all.length, "clock calls", "clocks call")}: ${list(all)}.` };
}

function answered(answer) {
  if (answer == null) return null;
  const what = answer.status ?? (answer.timedOut ? "nothing in time" : answer.error ?? "nothing");
  return <p>Its newest call was answered <Time at={answer.answeredAt} absolute />: {what}.</p>;
}

function Body({ data }) {
  if (data.clocks.length === 0) return <Empty command={"pourtrait schedule install"}>The platform's crons call the jobs, or the database itself:</Empty>;
  const columns = [
    { key: "clock", label: "Clock", wide: true, value: ({ clock }) => clock, show: ({ clock, status }) => <State is={SHAPES[status] ?? "unknown"} says={clock} /> },
    { key: "job", label: "Job", value: ({ job }) => job },
    { key: "last", label: "Last call", value: ({ lastAt }) => lastAt, show: ({ lastAt }) => (lastAt == null ? "never" : <Time at={lastAt} absolute />) },
    { key: "every", label: "Every", number: true, value: ({ everySeconds }) => everySeconds, show: ({ everySeconds }) => (everySeconds == null ? "–" : span(everySeconds)) },
    { key: "silent", label: "Silent, periods", number: true, value: ({ silentPeriods }) => silentPeriods, show: ({ silentPeriods }) => (silentPeriods == null ? "–" : number(silentPeriods)) },
    { key: "late", label: "Late", number: true, minor: true, value: ({ lateSeconds }) => lateSeconds, show: ({ lateSeconds }) => (lateSeconds == null ? "–" : span(lateSeconds)) },
  ];
  return <Table caption="Clocks" columns={columns} rows={data.clocks} id={({ clock, job }) => `${clock} ${job}`} open={({ answer }) => answered(answer)} />;
}

export default {
  id: "clocks", title: "Clocks", part: "Operation", wide: true, state, Body,
  defines: [
    { name: "Every", path: "clocks", means: "How often the clock calls this job: the median of the gaps between its newest calls, from the third on." },
    { name: "Silent", path: "clocks", means: "For how many of these it has not called.", rule: "clock_silent" },
    { name: "Late", path: "clocks", means: "How long after the time that it was set to its newest call came, where it says." },
  ],
};
