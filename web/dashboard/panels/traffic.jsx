// How the app answers, over time: how much, how fast, and how often with an error.

import { useMemo } from "preact/hooks";
import { TimeChart } from "../charts/time-chart.jsx";
import { figures, finished, perMinute, share, tendency } from "../charts/series.js";
import { Empty } from "../parts/empty.jsx";
import { Figure, Figures } from "../parts/figure.jsx";
import { duration, number, percent } from "../words/numbers.js";
import { marks } from "../words/marks.js";

function state({ performance, errors: { errorRate }, slo, series }) {
  if (performance.requests === 0) return { level: "empty", says: "No request was counted in this range." };
  const level = errorRate > slo.errorRate.target ? "watch" : "fine";
  const p95 = duration(performance.p95ResponseTime);
  const moved = series && tendency(figures(series.latency.p95)?.change);
  const slower = moved ? ` Nineteen of twenty took ${moved.replace("more", "longer").replace("less", "less time")}.` : "";
  return {
    level,
    says: `${number(performance.requests)} requests, ${number(performance.throughput)} a minute. Half were answered within ${words(performance.p50ResponseTime)}, nineteen of twenty within ${p95.value} ${p95.unit}; ${percent(errorRate)} % failed, where ${percent(slo.errorRate.target)} % may.${slower}`,
  };
}

function words(milliseconds) {
  const { value, unit } = duration(milliseconds);
  return `${value} ${unit}`.trim();
}

function Body({ data }) {
  const { performance, series, errors } = data;
  return (
    <>
      <Figures>
        <Figure label="Requests a minute" value={number(performance.throughput)} />
        <Figure label="Median" value={duration(performance.p50ResponseTime)} />
        <Figure label="95th percentile" value={duration(performance.p95ResponseTime)} />
        <Figure label="99th percentile" value={duration(performance.p99ResponseTime)} />
        <Figure label="Failed" value={percent(errors.errorRate)} unit="%" more={`${number(errors.failedRequests)} of ${number(errors.requests)}`} />
        <Figure label="People" value={number(performance.activeUsers)} />
      </Figures>
      {series ? <Charts data={data} /> : <Empty>The course over time comes with the next release of the database's functions: <code>pourtrait migrate</code>.</Empty>}
    </>
  );
}

function Charts({ data }) {
  const { latency, requests, usage } = useMemo(() => prepared(data.series), [data.series]);
  const deployed = useMemo(() => marks(data), [data]);
  return (
    <div class="charts">
      <TimeChart title="Latency" unit="half, 19 of 20, 99 of 100" series={latency} marks={deployed} words={words} bands lines={latency.lines} />
      <TimeChart title="Requests" unit="a minute" series={requests} marks={deployed} words={number} lines={requests.all} />
      <TimeChart title="Errors" unit="% of requests" series={requests} marks={deployed} words={(value) => `${percent(value)} %`} lines={requests.failed} />
      <TimeChart title="Logged errors and visits" unit="a step" series={usage} marks={deployed} words={number} lines={usage.lines} />
    </div>
  );
}

/** The lines of each chart; of what is counted, the point that is not over yet is left out. */
function prepared({ latency, requests, usage }) {
  return {
    latency: { ...latency, lines: [{ label: "p50", values: latency.p50 }, { label: "p95", style: "second", values: latency.p95 }, { label: "p99", style: "third", values: latency.p99 }] },
    requests: {
      ...requests,
      all: [{ label: "", style: "area", values: finished(perMinute(requests.requests, requests.step)) }],
      failed: [{ label: "5xx", style: "bad", values: share(requests.serverErrors, requests.requests) }, { label: "4xx", style: "third", values: share(requests.clientErrors, requests.requests) }],
    },
    usage: { ...usage, lines: [{ label: "errors", style: "bad", values: finished(usage.errors) }, { label: "visits", style: "second", values: finished(usage.visits) }] },
  };
}

export default {
  id: "traffic", title: "Traffic", part: "Requests", wide: true, state, Body,
  defines: [
    { name: "Requests a minute", path: "performance.throughput", means: "All requests of the range, by its minutes." },
    { name: "Median, percentiles", path: "performance.p95ResponseTime", means: "So many of a hundred requests were answered within that time. From figures of a minute each, within 2 %.", rule: "api_slow" },
    { name: "Failed", path: "errors.errorRate", means: "Requests answered with 500 or more, of all.", rule: "error_rate_high" },
    { name: "People", path: "performance.activeUsers", means: "Distinct users of events and requests." },
    { name: "Flags in the charts", path: "deployments", means: "Deployments that went into production, or back." },
  ],
};
