// What people used.

import { Meter } from "../charts/meter.jsx";
import { Empty } from "../parts/empty.jsx";
import { Table } from "../parts/table.jsx";
import { choices } from "../state/address.js";
import { count, number, percent } from "../words/numbers.js";

function state({ features }) {
  if (features.length === 0) return { level: "empty", says: "No use of a feature was counted in this range." };
  return { level: "fine", says: `${count(features.length, "feature was", "features were")} used; most ${features[0].feature}.` };
}

function Body({ data }) {
  if (data.features.length === 0) return <Empty>Rows of <code>feature_usage_analytics</code> tell of it: docs/analytics.md.</Empty>;
  const most = Math.max(...data.features.map(({ uses }) => uses));
  const columns = [
    { key: "feature", label: "Feature", wide: true, value: ({ feature }) => feature, show: ({ feature }) => <code>{feature}</code> },
    { key: "share", label: "Share", minor: true, value: ({ uses }) => uses, show: ({ feature, uses }) => <Meter value={uses} most={most} level="fine" label={`${feature}: ${number(uses)} uses`} /> },
    { key: "uses", label: "Uses", number: true, value: ({ uses }) => uses, show: ({ uses }) => number(uses) },
    { key: "days", label: "User days", number: true, minor: true, value: ({ userDays }) => userDays, show: ({ userDays }) => number(userDays) },
    { key: "success", label: "Success", number: true, value: ({ successRate }) => successRate, show: ({ successRate }) => (successRate == null ? "–" : `${percent(successRate)} %`) },
  ];
  const search = choices.value.search.toLowerCase();
  return <Table caption="Features" columns={columns} rows={data.features.filter(({ feature }) => feature.toLowerCase().includes(search))} id={({ feature }) => feature} sorted={{ key: "uses", down: true }} />;
}

export default {
  id: "features", title: "Features", part: "People", state, Body,
  defines: [
    { name: "Uses", path: "features", means: "On the dates of the range." },
    { name: "User days", path: "features", means: "On how many days of how many users: one user on two days is two." },
  ],
};
