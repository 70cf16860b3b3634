// How pages feel to people.

import { Meter } from "../charts/meter.jsx";
import { Empty } from "../parts/empty.jsx";
import { Table } from "../parts/table.jsx";
import { count, duration, list, number } from "../words/numbers.js";

/** What is good and what is poor, as the web's own measures have it. */
const BOUNDS = { LCP: [2500, 4000], INP: [200, 500], CLS: [0.1, 0.25], FCP: [1800, 3000], TTFB: [800, 1800] };
const NAMES = { LCP: "Largest paint", INP: "Reaction", CLS: "Layout shift", FCP: "First paint", TTFB: "First byte" };

function words(name, value) {
  return name === "CLS" ? number(value) : Object.values(duration(value)).join(" ").trim();
}

function verdict(name, p75) {
  const [good, poor] = BOUNDS[name] ?? [];
  if (p75 == null || good == null) return "fine";
  return p75 <= good ? "fine" : p75 <= poor ? "watch" : "bad";
}

function state({ webVitals }) {
  const all = Object.entries(webVitals).filter(([, { p75 }]) => p75 != null);
  if (all.length === 0) return { level: "empty", says: "No page was measured in this range." };
  const ill = all.filter(([name, { p75 }]) => verdict(name, p75) !== "fine");
  if (ill.length === 0) return { level: "fine", says: "Pages feel good to three of four." };
  return { level: "watch", says: `Not good to three of four: ${list(ill.map(([name, { p75 }]) => `${NAMES[name] ?? name} with ${words(name, p75)}`))}.` };
}

function Body({ data }) {
  const all = Object.entries(data.webVitals).filter(([, { views }]) => views > 0);
  if (all.length === 0) return <Empty>Give <code>useReportWebVitals</code> our module's <code>ops.webVital</code>: docs/telemetry.md, From pages.</Empty>;
  const pages = all.flatMap(([name, { pages: those }]) => those.map((page) => ({ ...page, name })));
  const columns = [
    { key: "page", label: "Page", wide: true, value: ({ page }) => page, show: ({ page }) => <code>{page}</code> },
    { key: "name", label: "Measure", value: ({ name }) => name, show: ({ name }) => NAMES[name] ?? name },
    { key: "p75", label: "Three of four", number: true, value: ({ name, p75 }) => p75 / (BOUNDS[name]?.[0] ?? 1), show: ({ name, p75 }) => words(name, p75) },
    { key: "views", label: "Views", number: true, minor: true, value: ({ views }) => views, show: ({ views }) => number(views) },
  ];
  return (
    <>
      <ul class="budgets">
        {all.map(([name, { p75, views, soft }]) => {
          const [good, poor] = BOUNDS[name] ?? [p75, p75 * 2];
          return (
            <li key={name}>
              <span>{NAMES[name] ?? name} <abbr class="muted">{name}</abbr></span>
              <Meter value={Math.min(p75, poor * 1.5)} most={poor * 1.5} limit={good} level={verdict(name, p75)} label={`${name}: ${words(name, p75)}`} />
              <span class="muted"><span class="number">{words(name, p75)}</span>, good up to {words(name, good)}; {count(views, "view")}{soft?.p75 != null && `; ${words(name, soft.p75)} where the page was only changed`}</span>
            </li>
          );
        })}
      </ul>
      {pages.length > 0 && <Table caption="Web vitals by page" columns={columns} rows={pages} id={({ page, name }) => name + page} sorted={{ key: "p75", down: true }} />}
    </>
  );
}

export default {
  id: "vitals", title: "Web vitals", part: "People", state, Body,
  defines: [
    { name: "Three of four", path: "webVitals", means: "Three of four page views were as good or better. The notch is what counts as good.", rule: "web_vital_poor" },
    { name: "Only changed", path: "webVitals", means: "Of pages that were changed without being loaded." },
  ],
};
