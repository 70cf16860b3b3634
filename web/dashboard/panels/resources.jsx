// What may run out: how much of each is used, how it grows, and in how many days it is full.

import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { bytes, capital, count, list, number, percent } from "../words/numbers.js";

const NAMES = { database_cpu: "processors of the database", database_memory: "memory of the database", database_disk: "disk of the database", database_size: "size of the database", cron_jobs: "crons", openai: "OpenAI", vision: "Google Vision" };

const name = (resource) => NAMES[resource] ?? resource.replaceAll("_", " ");

function level({ percent: used, daysToFull }) {
  if (used == null) return "unknown";
  if (used > 95) return "bad";
  return used > 80 || (daysToFull != null && daysToFull < 30) ? "watch" : "fine";
}

function amount(value, unit) {
  if (value == null) return "–";
  if (unit === "B") return Object.values(bytes(value)).join(" ").trim();
  return unit === "%" || unit === "s" ? `${number(value)} ${unit}` : number(value);
}

function soon(days) {
  return days < 1 ? "within a day" : `in ${count(Math.floor(days), "day")}`;
}

function state({ resources }) {
  if (resources.length === 0) return { level: "empty", says: "Nothing was read yet." };
  const of = (wanted) => resources.filter((one) => level(one) === wanted);
  const first = resources.filter(({ daysToFull }) => daysToFull != null).sort((one, other) => one.daysToFull - other.daysToFull)[0];
  const pace = first == null ? "" : ` The ${name(first.resource)} is full ${soon(first.daysToFull)} at this pace.`;
  if (of("bad").length > 0) return { level: "bad", says: `Nearly used up: ${list(of("bad").map(({ resource }) => name(resource)))}.${pace}` };
  if (of("watch").length > 0) return { level: "watch", says: `Little is left: ${list(of("watch").map(({ resource }) => name(resource)))}.${pace}` };
  if (of("fine").length === 0) return { level: "unknown", says: "How much there is of anything, nobody tells." };
  return { level: "fine", says: `Enough is left of ${count(of("fine").length, "resource")}.${pace}` };
}

/** Its use on the last thirty days, as bars of the largest or of what there is. */
function Days({ days, capacity }) {
  const most = Math.max(capacity ?? 0, ...days.map((value) => value ?? 0));
  if (most === 0) return null;
  return (
    <svg class="days-of-use" viewBox="0 0 60 12" width="60" height="12" aria-hidden="true">
      {days.map((value, nth) => value != null && <rect key={nth} x={nth * 2} width="1.5" y={12 - (12 * value) / most} height={(12 * value) / most} fill="currentColor" />)}
    </svg>
  );
}

function Body({ data: { resources } }) {
  if (resources.length === 0) return <Empty command={"pourtrait database resources"}>The maintenance reads what is used of what there is.</Empty>;
  const columns = [
    { key: "resource", label: "What", wide: true, value: ({ resource }) => name(resource), show: (one) => <State is={{ fine: "ok", watch: "watch", bad: "bad" }[level(one)] ?? "unknown"} says={capital(name(one.resource))} /> },
    { key: "used", label: "Used", number: true, value: ({ used }) => used, show: ({ used, unit }) => amount(used, unit) },
    { key: "capacity", label: "Of", number: true, value: ({ capacity }) => capacity, show: ({ capacity, unit }) => amount(capacity, unit) },
    { key: "percent", label: "Share", number: true, value: ({ percent: share }) => share, show: ({ percent: share }) => (share == null ? "–" : `${percent(share)} %`) },
    { key: "days", label: "Full in, days", number: true, value: ({ daysToFull }) => daysToFull, show: ({ daysToFull }) => (daysToFull == null ? "–" : number(Math.floor(daysToFull))) },
    { key: "trend", label: "30 days", minor: true, value: ({ perDay }) => perDay, show: ({ days, capacity }) => <Days days={days} capacity={capacity} /> },
  ];
  const more = ({ note, reason, perDay, unit }) => <p>{[note, reason, perDay != null && `It changes by ${amount(perDay, unit)} a day.`].filter(Boolean).map(capital).join(" · ")}</p>;
  return <Table caption="What may run out" columns={columns} rows={resources} id={({ resource }) => resource} open={more} sorted={{ key: "percent", down: true }} />;
}

export default {
  id: "resources", title: "Resources", part: "Database and security", wide: true, state, Body,
  defines: [
    { name: "Share", path: "resources", means: "What is used, of what there is; nothing where nobody tells one of them.", rule: "resource_high" },
    { name: "Full in", path: "resources", means: "Days until nothing is left at the pace of the last 30 days, of what only grows.", rule: "resource_full" },
  ],
};
