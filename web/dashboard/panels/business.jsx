// What users did, and what the app counts itself.

import { Empty } from "../parts/empty.jsx";
import { Figure, Figures } from "../parts/figure.jsx";
import { Table } from "../parts/table.jsx";
import { capital, count, number, percent } from "../words/numbers.js";

function state({ business }) {
  const all = Object.values(business.events).reduce((sum, many) => sum + many, 0);
  if (all === 0 && Object.keys(business.metrics).length === 0) return { level: "empty", says: "No event was told in this range." };
  const rate = business.conversionRate == null ? "" : ` ${percent(business.conversionRate)} % of those who registered completed their taste profile.`;
  return { level: "fine", says: `${count(all, "event")} of ${count(Object.keys(business.events).length, "kind")}.${rate}` };
}

function Body({ data }) {
  const { events, metrics } = data.business;
  const sorted = Object.entries(events).sort(([, one], [, other]) => other - one);
  if (sorted.length + Object.keys(metrics).length === 0) return <Empty>Rows of <code>user_events</code> or <code>ops.event(name)</code> tell of it: docs/analytics.md.</Empty>;
  const columns = [
    { key: "name", label: "Counted by the app", wide: true, value: ({ name }) => name, show: ({ name }) => <code>{name}</code> },
    { key: "count", label: "Numbers", number: true, minor: true, value: ({ count: many }) => many, show: ({ count: many }) => number(many) },
    { key: "average", label: "Mean", number: true, value: ({ average }) => average, show: ({ average }) => number(average) },
    { key: "lowest", label: "Least", number: true, minor: true, value: ({ lowest }) => lowest, show: ({ lowest }) => number(lowest) },
    { key: "highest", label: "Greatest", number: true, value: ({ highest }) => highest, show: ({ highest }) => number(highest) },
  ];
  return (
    <>
      <Figures>
        {sorted.slice(0, 12).map(([name, many]) => <Figure key={name} label={capital(name.replaceAll("_", " "))} value={number(many)} />)}
      </Figures>
      {Object.keys(metrics).length > 0 && <Table caption="What the app counts itself" columns={columns} rows={Object.entries(metrics).map(([name, metric]) => ({ name, ...metric }))} id={({ name }) => name} />}
    </>
  );
}

export default {
  id: "business", title: "Business", part: "People", wide: true, state, Body,
  defines: [
    { name: "Events", path: "business.events", means: "Everything that users did in the range, by name." },
    { name: "Counted by the app", path: "business.metrics", means: "Numbers that the app measures itself, in its own unit." },
    { name: "Completed their taste profile", path: "business.conversionRate", means: "Of those who registered in the range." },
  ],
};
