// What the app asks of others.

import { Empty } from "../parts/empty.jsx";
import { Table } from "../parts/table.jsx";
import { choices } from "../state/address.js";
import { count, duration, number, percent } from "../words/numbers.js";

function words(milliseconds) {
  const { value, unit } = duration(milliseconds);
  return `${value} ${unit}`.trim();
}

function state({ dependencies }) {
  if (dependencies.length === 0) return { level: "empty", says: "Nothing is known of what the app asks of others." };
  const [worst] = [...dependencies].sort((one, other) => (other.errorRate ?? 0) - (one.errorRate ?? 0));
  if (worst.errorRate > 5) return { level: "watch", says: `${worst.dependency} fails in ${percent(worst.errorRate)} % of requests.` };
  return { level: "fine", says: `${count(dependencies.length, "other was", "others were")} asked; none fails much.` };
}

function Body({ data }) {
  if (data.dependencies.length === 0) return <Empty>Spans of <code>@vercel/otel</code> or of any client of OpenTelemetry bring them: docs/telemetry.md, OpenTelemetry.</Empty>;
  const columns = [
    { key: "dependency", label: "Asked", wide: true, value: ({ dependency }) => dependency, show: ({ dependency }) => <code>{dependency}</code> },
    { key: "requests", label: "Requests", number: true, value: ({ requests }) => requests, show: ({ requests }) => number(requests) },
    { key: "p50", label: "Median", number: true, minor: true, value: ({ p50ResponseTime }) => p50ResponseTime, show: ({ p50ResponseTime }) => words(p50ResponseTime) },
    { key: "p95", label: "95th", number: true, value: ({ p95ResponseTime }) => p95ResponseTime, show: ({ p95ResponseTime }) => words(p95ResponseTime) },
    { key: "failed", label: "Failed", number: true, value: ({ errorRate }) => errorRate, show: ({ errorRate }) => `${percent(errorRate)} %` },
  ];
  const search = choices.value.search.toLowerCase();
  return <Table caption="What the app asks of others" columns={columns} rows={data.dependencies.filter(({ dependency }) => dependency.toLowerCase().includes(search))} id={({ dependency }) => dependency} sorted={{ key: "requests", down: true }} />;
}

export default {
  id: "dependencies", title: "Dependencies", part: "Requests", state, Body,
  defines: [{ name: "Failed", path: "dependencies", means: "Requests to a host, or runs of a statement, that failed or were answered with 500 or more." }],
};
