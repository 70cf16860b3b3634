// What the app measured under names of its own.

import { Empty } from "../parts/empty.jsx";
import { Table } from "../parts/table.jsx";
import { choices } from "../state/address.js";
import { count, number } from "../words/numbers.js";

function state({ metrics }) {
  const many = Object.keys(metrics).length;
  if (many === 0) return { level: "empty", says: "The app measured nothing in this range." };
  return { level: "fine", says: `${count(many, "name")}, each in the app's own unit.` };
}

function Body({ data }) {
  const rows = Object.entries(data.metrics).map(([name, metric]) => ({ name, ...metric }));
  if (rows.length === 0) return <Empty>Rows of <code>performance_metrics</code> or <code>ops.metric(name, value)</code> tell of it.</Empty>;
  const column = (key, label, minor) => ({ key, label, minor, number: true, value: (row) => row[key], show: (row) => number(row[key]) });
  const columns = [
    { key: "name", label: "Name", wide: true, value: ({ name }) => name, show: ({ name }) => <code>{name}</code> },
    column("measurements", "Numbers", true), column("average", "Mean", true), column("p50", "Median"), column("p95", "95th"),
  ];
  const search = choices.value.search.toLowerCase();
  return <Table caption="Measurements" columns={columns} rows={rows.filter(({ name }) => name.toLowerCase().includes(search))} id={({ name }) => name} />;
}

export default {
  id: "measurements", title: "Measurements", part: "People", state, Body,
  defines: [{ name: "Median, 95th", path: "metrics", means: "Half of the numbers, and 95 of 100, are less; in the app's unit." }],
};
