// Who did what that somebody has to answer for. Only those have it in their document who may
// read it.

import { Empty } from "../parts/empty.jsx";
import { Figure, Figures } from "../parts/figure.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { capital, count, number } from "../words/numbers.js";

function state({ auditLog: { head, rows } }) {
  if (!head) return { level: "unknown", says: "Nothing was written yet." };
  const refused = rows.filter(({ action }) => action === "access.refused").length;
  const newest = `The newest of ${count(head.seq, "row")} says: ${words(rows[0].action)}.`;
  return { level: "fine", says: refused > 0 ? `${newest} ${number(refused)} of the last ${number(rows.length)} are refusals.` : newest };
}

function words(action) {
  return action.replace(".", " ");
}

/** What else is known of a row, as `key value` pairs. */
function details({ erased, details: known }) {
  if (erased) return "erased";
  const pairs = Object.entries(known ?? {}).filter(([, value]) => value != null);
  return pairs.map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
}

function Body({ data: { auditLog: { head, rows } } }) {
  if (!head) return <Empty command="pourtrait audit list">Settings, answers, keys, roles, restores and refusals are written here.</Empty>;
  const columns = [
    { key: "seq", label: "Row", number: true, value: ({ seq }) => seq, show: ({ seq }) => seq },
    { key: "at", label: "When", value: ({ at }) => at, show: ({ at }) => <Time at={at} /> },
    { key: "actor", label: "Who", value: ({ actor }) => actor ?? "", show: ({ actor }) => actor ?? "the bundle" },
    { key: "action", label: "Did", value: ({ action }) => action, show: ({ action }) => capital(words(action)) },
    { key: "subject", label: "To", wide: true, value: ({ subject }) => subject ?? "", show: ({ subject }) => subject ?? "–" },
  ];
  return (
    <>
      <Figures>
        <Figure label="Rows" value={head.seq} />
        <Figure label="Newest" value={<Time at={head.at} />} />
        <Figure label="Its hash" value={head.hash.slice(0, 12)} more="pourtrait audit verify" />
      </Figures>
      <Table caption="The newest rows" columns={columns} rows={rows} id={({ seq }) => seq} sorted={{ key: "seq", down: true }} open={(row) => <p>{details(row) || "Nothing else is known of it."}</p>} />
    </>
  );
}

export default {
  id: "audit-log", title: "Audit log", part: "Database and security", wide: true, isFor: ({ auditLog }) => auditLog != null, state, Body,
  defines: [
    { name: "Rows", path: "auditLog.rows", means: "Who did what that somebody has to answer for: settings, answers, words of the status page, roles, keys, restores, refusals. For those who may read it." },
    { name: "Its hash", path: "auditLog.head", means: "The newest row. Each row names the hash of the one before it, and every backup keeps this one outside the database." },
  ],
};
