// Errors, each kind once, with how often in each hour of the last day.

import { Trend } from "../charts/trend.jsx";
import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { choices } from "../state/address.js";
import { count, list, number } from "../words/numbers.js";

function state({ issues, errors }) {
  const logged = errors.totalErrors > 0 ? ` ${count(errors.totalErrors, "error was", "errors were")} logged in this range, ${number(errors.criticalErrors)} of them critical.` : "";
  if (issues.open === 0) return { level: logged ? "fine" : "empty", says: `No issue is open.${logged}` };
  const parts = [issues.new > 0 && `${number(issues.new)} new`, issues.regressed > 0 && `${number(issues.regressed)} that came back`].filter(Boolean);
  return {
    level: issues.regressed > 0 || issues.new > 0 ? "watch" : "fine",
    says: `${count(issues.open, "issue is", "issues are")} open${parts.length > 0 ? `, ${list(parts)} in this range` : ""}.${logged}`,
  };
}

function Body({ data }) {
  const { issues, errors } = data;
  const search = choices.value.search.toLowerCase();
  const grouped = [
    { key: "message", label: "Logged by the app", wide: true, value: ({ message }) => message },
    { key: "category", label: "Category", minor: true, value: ({ category }) => category, show: ({ category }) => category.replaceAll("_", " ") },
    { key: "count", label: "Times", number: true, value: ({ count: many }) => many, show: ({ count: many }) => number(many) },
    { key: "last", label: "Last", value: ({ timestamp }) => timestamp, show: ({ timestamp }) => <Time at={timestamp} /> },
  ];
  const columns = [
    { key: "title", label: "Issue", wide: true, value: ({ title }) => title, show: (issue) => <><State is={issue.severity} quiet /> {issue.title}</> },
    { key: "trend", label: "24 hours", value: (issue) => issue.hours.reduce((sum, many) => sum + many, 0), number: true, show: (issue) => <Trend counts={issue.hours} label={issue.title} /> },
    { key: "events", label: "Times", number: true, value: ({ events }) => events, show: ({ events }) => number(events) },
    { key: "people", label: "People", number: true, minor: true, value: ({ people }) => people, show: ({ people }) => number(people) },
    { key: "last", label: "Last", value: ({ lastSeen }) => lastSeen, show: ({ lastSeen }) => <Time at={lastSeen} /> },
  ];
  if (issues.latest.length + errors.recentErrors.length === 0) {
    return <Empty command={"pourtrait door add web --origin https://app.example.com"}>Errors come from <code>error_logs</code>, from Sentry's clients or from our own:</Empty>;
  }
  return (
    <>
      {issues.latest.length > 0 && (
        <Table caption="Issues" columns={columns} rows={issues.latest.filter(({ title, culprit }) => (title + culprit).toLowerCase().includes(search))} id={({ id }) => id} sorted={{ key: "last", down: true }} open={(issue) => <More issue={issue} />} />
      )}
      {errors.recentErrors.length > 0 && (
        <Table caption="Errors that the app logged" columns={grouped} rows={errors.recentErrors.filter(({ message }) => message.toLowerCase().includes(search))} id={({ fingerprint }) => fingerprint} sorted={{ key: "count", down: true }}
          open={(one) => <p>{one.severity}, first in this range <Time at={one.firstSeen} />. <code>{one.fingerprint}</code></p>} />
      )}
    </>
  );
}

function More({ issue }) {
  return (
    <p>
      <code>{issue.culprit}</code>. First <Time at={issue.firstSeen} />{issue.firstRelease && ` in ${issue.firstRelease}`}{issue.lastRelease && `, last in ${issue.lastRelease}`}
      {issue.regressedAt && <>; it came back <Time at={issue.regressedAt} /></>}. With its stack: <code>pourtrait errors show {issue.id}</code>
    </p>
  );
}

export default {
  id: "issues", title: "Issues", part: "Errors", wide: true, state, Body,
  defines: [
    { name: "Issue", path: "issues", means: "Errors of one type in the same frames of the app, or with the same message but for ids and numbers.", rule: "error_new" },
    { name: "Came back", path: "issues.regressed", means: "It happened again in a version that is newer than the one it was resolved in.", rule: "error_regressed" },
    { name: "24 hours", path: "issues.latest", means: "How often in each of the last 24 hours, the oldest first.", rule: "error_spike" },
    { name: "People", path: "issues.latest", means: "To how many people, up to 10,000." },
    { name: "Logged by the app", path: "errors.recentErrors", means: "Rows of error_logs in this range, grouped by message.", rule: "critical_error" },
  ],
};
