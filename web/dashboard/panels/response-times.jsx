// How long each service takes to answer a look, over time.

import { TimeChart } from "../charts/time-chart.jsx";
import { Empty } from "../parts/empty.jsx";
import { service } from "../words/names.js";
import { duration, list } from "../words/numbers.js";
import { figures } from "../charts/series.js";
import { marks } from "../words/marks.js";

function words(milliseconds) {
  const { value, unit } = duration(milliseconds);
  return `${value} ${unit}`.trim();
}

function state({ series }) {
  const all = Object.entries(series?.services ?? {});
  if (all.length === 0) return { level: "empty", says: "There is no course over time yet." };
  const slower = all.filter(([, { responseTime }]) => figures(responseTime)?.change > 0.5).map(([name]) => service(name));
  return { level: "fine", says: slower.length > 0 ? `${list(slower)} took half as long again in the later half of this range.` : "None took much longer in the later half of this range than in the earlier one." };
}

function Body({ data }) {
  const all = Object.entries(data.series?.services ?? {});
  if (all.length === 0) return <Empty>It comes with the database's functions of this release: <code>pourtrait migrate</code>.</Empty>;
  return (
    <div class="charts">
      {all.map(([name, { responseTime }]) => (
        <TimeChart key={name} title={service(name)} unit="a look" series={data.series} marks={marks(data)} words={words} lines={[{ label: "took", values: responseTime }]} />
      ))}
    </div>
  );
}

export default {
  id: "response-times", title: "Response times of services", part: "Requests", wide: true, state, Body,
  defines: [
    { name: "Took", path: "systemHealth.services", means: "The mean of the looks of a step, in milliseconds; hatched where nobody looked.", rule: "check_slow" },
  ],
};
