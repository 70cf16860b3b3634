// What came in by the door, from whom, and what was left out.

import { Empty } from "../parts/empty.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { count, list, number } from "../words/numbers.js";

function state({ door, reports }) {
  const out = Object.values(door.leftOut).reduce((sum, many) => sum + many, 0);
  if (door.taken === 0 && door.sources.length === 0) return { level: "empty", says: "Nothing came in by the door." };
  const told = Object.values(reports).reduce((sum, many) => sum + many, 0);
  return {
    level: out > door.taken / 10 && out > 100 ? "watch" : "fine",
    says: `${count(door.taken, "item")} came in${out > 0 ? `, ${number(out)} were left out` : ", none was left out"}.${told > 0 ? ` Browsers reported ${count(told, "thing")}.` : ""}`,
  };
}

function Body({ data }) {
  const { door, reports } = data;
  if (door.taken === 0 && door.sources.length === 0) return <Empty command={"pourtrait door add web --origin https://app.example.com"}>A project key opens it:</Empty>;
  const columns = [
    { key: "kind", label: "Kind", wide: true, value: ({ kind }) => kind, show: ({ kind }) => kind.replaceAll("_", " ") },
    { key: "source", label: "Source", value: ({ source }) => source },
    { key: "environment", label: "Environment", minor: true, value: ({ environment }) => environment },
    { key: "last", label: "Last", value: ({ lastAt }) => lastAt, show: ({ lastAt }) => <Time at={lastAt} /> },
    { key: "counted", label: "In the figures", value: ({ counted }) => (counted ? "yes" : "no") },
  ];
  const out = Object.entries(door.leftOut);
  const told = Object.entries(reports);
  return (
    <>
      <Table caption="Who brings what" columns={columns} rows={door.sources} id={({ kind, source, environment }) => kind + source + environment} />
      {out.length > 0 && <p>Left out: {list(out.map(([why, many]) => `${number(many)} ${why.replaceAll("_", " ")}`))}.</p>}
      {told.length > 0 && <p>Browsers reported: {list(told.map(([what, many]) => `${number(many)} ${what.replaceAll("_", " ").replaceAll("-", " ")}`))}.</p>}
    </>
  );
}

export default {
  id: "door", title: "Door", part: "Operation", state, Body,
  defines: [
    { name: "Items", path: "door.taken", means: "Taken since the day that the range begins in." },
    { name: "In the figures", path: "door.sources", means: "Each kind is counted from one source; what others bring of it is kept and in no figure." },
    { name: "Reported", path: "reports", means: "What browsers told by themselves: violations of the policy, deprecations, crashes, requests that failed on the way." },
  ],
};
