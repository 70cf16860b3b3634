// How long each service takes to answer a look, over time.

import { useMemo } from "preact/hooks";
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
  if (series == null) return { level: "empty", says: "There is no course over time yet." };
  if (series.services == null) return { level: "fine", says: "They are kept look by look for a day; choose a range of 24 hours or less." };
  const slower = Object.entries(series.services.responseTimes).filter(([, values]) => figures(values)?.change > 0.5).map(([name]) => service(name));
  return { level: "fine", says: slower.length > 0 ? `${list(slower)} took half as long again in the later half of this range.` : "None took much longer in the later half of this range than in the earlier one." };
}

function Body({ data: { series, ...data } }) {
  if (series == null) return <Empty command="pourtrait migrate">It comes with the database's functions of this release:</Empty>;
  if (series.services == null) return null;
  const all = Object.entries(series.services.responseTimes).filter(([, values]) => values.some((value) => value != null));
  return (
    <div class="charts">
      {all.map(([name, values]) => <Service key={name} name={name} values={values} series={series.services} data={data} />)}
    </div>
  );
}

function Service({ name, values, series, data }) {
  const lines = useMemo(() => [{ label: "", values }], [values]);
  const deployed = useMemo(() => marks(data), [data.deployments]);
  return <TimeChart title={service(name)} unit="a look" series={series} marks={deployed} words={words} lines={lines} />;
}

export default {
  id: "response-times", title: "Response times of services", part: "Requests", wide: true, state, Body,
  defines: [
    { name: "Took", path: "systemHealth.services", means: "The mean of the looks of a step, in milliseconds; hatched where nobody looked.", rule: "check_slow" },
  ],
};
