// What was promised, and how much of it is left.

import { Meter } from "../charts/meter.jsx";
import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { capital, duration, list, number, percent, span } from "../words/numbers.js";
import { rule, runbook } from "../words/names.js";

function budgets({ slo }) {
  const found = [];
  const { availability, errorRate, latency } = slo;
  for (const [of, window] of [["30 days", availability["30d"]], ["a year", availability["1y"]]]) {
    if (window.minutesLeft == null) continue;
    found.push({
      name: `Availability, ${of}`, left: window.minutesLeft / window.budgetMinutes,
      says: `${percent(window.percent)} % of ${availability.target} %, ${window.minutesLeft < 0 ? `${span(-window.minutesLeft * 60)} too much` : `${span(window.minutesLeft * 60)} left of ${span(window.budgetMinutes * 60)}`}`,
    });
  }
  if (errorRate.percent != null) {
    found.push({ name: "Failed requests, 30 days", left: 1 - errorRate.percent / errorRate.target, says: `${percent(errorRate.percent)} % of at most ${errorRate.target} %, ${number(errorRate.failures)} of ${number(errorRate.requests)}` });
  }
  if (latency.percent != null) {
    found.push({ name: `Answered within ${latency.targetMs} ms`, left: null, met: latency.percent / 100, says: `${percent(latency.percent)} % of ${number(latency.requests)}` });
  }
  return found;
}

function state(data) {
  const all = budgets(data);
  const burning = data.slo.burnRates.filter(({ verdict }) => verdict === "bad");
  if (all.length === 0) return { level: "empty", says: "Too little is known to judge what was promised." };
  if (burning.length > 0) return { level: "bad", says: `Errors use up what may fail ${number(burning[0].longBurn)} times as fast as it was promised.` };
  const spent = all.filter(({ left }) => left != null && left < 0).map(({ name }) => name);
  if (spent.length > 0) return { level: "watch", says: `Overspent: ${list(spent)}.` };
  return { level: "fine", says: "What was promised is kept." };
}

function Body({ data }) {
  const all = budgets(data);
  if (all.length === 0) return <Empty command={"pourtrait settings list"}>Requests and looks fill it by themselves. What was promised:</Empty>;
  const { burnRates, webVitals } = data.slo;
  const rates = [
    { key: "rule", label: "Burn rate", wide: true, value: (row) => row.rule, show: (row) => <><State is={row.verdict === "insufficient" ? "unknown" : row.verdict} quiet /> <a href={runbook(row.rule)}>{capital(rule(row.rule))}</a>, {span(row.longSeconds)} and {span(row.shortSeconds)}</> },
    { key: "long", label: "Long", number: true, value: ({ longBurn }) => longBurn, show: ({ longBurn }) => `${number(longBurn)} ×` },
    { key: "short", label: "Short", number: true, value: ({ shortBurn }) => shortBurn, show: ({ shortBurn }) => `${number(shortBurn)} ×` },
    { key: "factor", label: "Bad above", number: true, value: ({ factor }) => factor, show: ({ factor }) => `${factor} ×` },
  ];
  const felt = Object.entries(webVitals).filter(([, { p75 }]) => p75 != null);
  return (
    <>
      <ul class="budgets">
        {all.map(({ name, left, met, says }) => (
          <li key={name}>
            <span>{name}</span>
            <Meter value={left != null && left < 0 ? 1 : left ?? met} most={1} level={left != null && left < 0 ? "bad" : left != null && left < 0.25 ? "watch" : "fine"} label={says} />
            <span class="muted">{says}</span>
          </li>
        ))}
        {felt.map(([name, { p75, target, verdict, views }]) => (
          <li key={name}>
            <span>{name}, 24 hours</span>
            <Meter value={Math.min(p75, target * 2)} most={target * 2} limit={target} level={verdict === "bad" ? "bad" : "fine"} label={`${name}: ${number(p75)} of at most ${number(target)}`} />
            <span class="muted">{name === "CLS" ? number(p75) : Object.values(duration(p75)).join(" ")} for three of four of {number(views)} views, of at most {name === "CLS" ? target : Object.values(duration(target)).join(" ")}</span>
          </li>
        ))}
      </ul>
      <Table caption="How fast errors use up what may fail" columns={rates} rows={burnRates} id={(row) => row.rule + row.longSeconds} />
    </>
  );
}

export default {
  id: "objectives", title: "Error budgets", part: "Now", wide: true, state, Body,
  defines: [
    { name: "Availability", path: "slo.availability", means: "How long the app may be down, of 30 days and of a year, and what is left of that." },
    { name: "Failed requests", path: "slo.errorRate", means: "Requests answered with 500 or more in 30 days, against what may fail." },
    { name: "Answered within", path: "slo.latency", means: "Requests of 30 days that were answered below the target." },
    { name: "Burn rate", path: "slo.burnRates", means: "How many times faster than promised errors come, over a long and a short window; bad if both are.", rule: "slo_fast_burn" },
    { name: "LCP, INP, CLS", path: "slo.webVitals", means: "What three of four page views of 24 hours were at least as good as.", rule: "web_vital_poor" },
  ],
};
