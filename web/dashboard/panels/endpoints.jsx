// What is asked of the app, and how each endpoint answers.

import { Meter } from "../charts/meter.jsx";
import { Empty } from "../parts/empty.jsx";
import { Table } from "../parts/table.jsx";
import { choices } from "../state/address.js";
import { duration, number, percent } from "../words/numbers.js";

function state({ performance: { endpoints }, slo }) {
  if (endpoints.length === 0) return { level: "empty", says: "No request was counted in this range." };
  const slowest = endpoints.filter(({ p95ResponseTime }) => p95ResponseTime != null).sort((one, other) => other.p95ResponseTime - one.p95ResponseTime)[0];
  const failing = endpoints.filter(({ errorRate }) => errorRate > Math.max(5, slo.errorRate.target * 10));
  const slow = slowest ? `The slowest is ${slowest.endpoint}, ${words(slowest.p95ResponseTime)} for nineteen of twenty.` : "";
  if (failing.length > 0) return { level: "watch", says: `${failing[0].endpoint} failed in ${percent(failing[0].errorRate)} % of its requests. ${slow}` };
  return { level: "fine", says: slow };
}

function words(milliseconds) {
  const { value, unit } = duration(milliseconds);
  return `${value} ${unit}`.trim();
}

function Body({ data }) {
  const { endpoints } = data.performance;
  if (endpoints.length === 0) return <Empty command={"pourtrait door add web --origin https://app.example.com"}>Write requests into <code>api_usage_metrics</code>, or let a drain or a client bring them:</Empty>;
  const most = Math.max(...endpoints.map(({ requests }) => requests));
  const time = (key, label, minor) => ({ key, label, number: true, minor, value: (row) => row[key], show: (row) => words(row[key]) });
  const columns = [
    { key: "endpoint", label: "Endpoint", wide: true, value: ({ endpoint }) => endpoint, show: ({ endpoint }) => <code>{endpoint}</code> },
    { key: "share", label: "Share", minor: true, value: ({ requests }) => requests, show: ({ requests, endpoint }) => <Meter value={requests} most={most} level="fine" label={`${endpoint}: ${number(requests)} requests`} /> },
    { key: "requests", label: "Requests", number: true, value: ({ requests }) => requests, show: ({ requests }) => number(requests) },
    time("p50ResponseTime", "Median", true),
    time("p95ResponseTime", "95th"),
    time("p99ResponseTime", "99th", true),
    { key: "failed", label: "Failed", number: true, value: ({ errorRate }) => errorRate, show: ({ errorRate }) => `${percent(errorRate)} %` },
  ];
  const search = choices.value.search.toLowerCase();
  return (
    <Table
      caption="Requests per endpoint" columns={columns} rows={endpoints.filter(({ endpoint }) => endpoint.toLowerCase().includes(search))} id={({ endpoint }) => endpoint} sorted={{ key: "requests", down: true }}
      open={({ statusClasses, throughput }) => <p>{number(throughput)} a minute. {Object.entries(statusClasses).filter(([, many]) => many > 0).map(([name, many]) => `${name}: ${number(many)}`).join(", ")}.</p>}
    />
  );
}

export default {
  id: "endpoints", title: "Requests per endpoint", part: "Requests", wide: true, state, Body,
  defines: [
    { name: "Endpoint", path: "performance.endpoints", means: "Method and path, with ids taken out; “other” is all after a day's 500th.", rule: "endpoint_slow" },
    { name: "Median, 95th, 99th", path: "performance.endpoints", means: "Known for the ten that are called most." },
    { name: "Failed", path: "performance.endpoints", means: "Answered with 500 or more." },
  ],
};
