// What is deleted by age: how long each table's rows are kept, how far that has come, and what
// was deleted.

import { Figure, Figures } from "../parts/figure.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { count, list, number } from "../words/numbers.js";

/** Tables whose past rows were not all deleted when that was tried last. */
function hindered({ tables }) {
  return tables.filter(({ hindrance }) => hindrance != null);
}

const sum = (rows, key) => rows.reduce((all, row) => all + row[key], 0);

function state({ retention }) {
  const { tables, forgotten, evidence } = retention;
  const stuck = hindered(retention);
  if (tables.every(({ triedAt }) => triedAt == null)) return { level: "empty", says: "Nothing was deleted by age yet." };
  if (stuck.length > 0) return { level: "watch", says: `Not deleted, although it is old: ${list(stuck.map(({ name }) => name))}.` };
  const deleted = `${count(sum(forgotten, "rows30d"), "row was", "rows were")} deleted in 30 days.`;
  return { level: "fine", says: evidence == null ? deleted : `${deleted} Incident ${evidence.incident} keeps what was recorded during it.` };
}

function Body({ data: { retention } }) {
  const { tables, forgotten, evidence } = retention;
  const gone = (table) => forgotten.find((one) => one.table === table);
  const columns = [
    { key: "name", label: "Rows", wide: true, value: ({ name }) => name, show: ({ name, hindrance, triedAt }) => <State is={hindrance != null ? "degraded" : triedAt == null ? "unknown" : "ok"} says={name} /> },
    { key: "days", label: "Kept, days", number: true, value: ({ days }) => days, show: ({ days }) => number(days) },
    { key: "oldest", label: "Oldest", value: ({ oldestAt }) => oldestAt, show: ({ oldestAt }) => (oldestAt == null ? "–" : <Time at={oldestAt} />) },
    { key: "deleted", label: "Deleted, 30 days", number: true, value: ({ table }) => gone(table)?.rows30d ?? 0, show: ({ table }) => number(gone(table)?.rows30d ?? 0) },
    { key: "tried", label: "Tried", minor: true, value: ({ triedAt }) => triedAt, show: ({ triedAt }) => (triedAt == null ? "never" : <Time at={triedAt} />) },
  ];
  return (
    <>
      <Figures>
        <Figure label="Deleted in 30 days" value={number(sum(forgotten, "rows30d"))} unit="rows" more={`${number(sum(forgotten, "rows24h"))} since yesterday`} />
        <Figure label="Partitions dropped" value={number(sum(forgotten, "partitions30d"))} />
        <Figure label="Kept as evidence" value={evidence == null ? "nothing" : <Time at={evidence.from} />} more={evidence != null && `incident ${evidence.incident} ${evidence.open ? "is open" : "has just ended"}`} />
      </Figures>
      <Table caption="What is deleted by age" columns={columns} rows={tables} id={({ name }) => name} open={({ hindrance, note, held, setting }) => <p>{[hindrance, note, held && "An incident keeps it longer.", `Set by ${setting}.`].filter(Boolean).join(" ")}</p>} />
    </>
  );
}

export default {
  id: "retention", title: "Retention", part: "Database and security", wide: true, state, Body,
  defines: [
    { name: "Kept", path: "retention.tables", means: "For how many days; a setting of its own for each class." },
    { name: "Oldest", path: "retention.tables", means: "The oldest row that was left when everything past had been deleted." },
    { name: "Deleted", path: "retention.forgotten", means: "Rows that were older than they are kept; of the app's tables and of ours that hold single rows." },
    { name: "Kept as evidence", path: "retention.evidence", means: "What was recorded from an hour before an open incident on, or one that ended within a week, stays whatever its age." },
  ],
};
