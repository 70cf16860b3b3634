// What serves production: whether it is pinned, and how each deployment compares with the day before it.

import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { capital, count, duration, list, number, percent } from "../words/numbers.js";

const WHOSE = { app_project: "the app", own_project: "this bundle" };

const AGES = { 15: "15 min", 60: "1 h", 1440: "1 d", 2880: "2 d" };

const MEASURES = {
  latency_p50: "Median response time", latency_p95: "95th percentile of the response time", error_rate: "Error rate",
  new_errors: "New errors", failed_jobs: "Failed or missed jobs",
};

const KINDS = { fine: "up", same: "up", better: "up", regressed: "down", worse: "down" };

/** The newest comparison that could say something. */
function judged({ comparisons }) {
  return comparisons.findLast(({ verdict }) => verdict === "fine" || verdict === "regressed");
}

function called({ measure }) {
  return MEASURES[measure] ?? capital(measure.replace("_p75", ", 75th percentile"));
}

function state({ production: { projects, served } }) {
  const pinned = projects.filter((project) => project.state === "pinned").map(({ source }) => WHOSE[source]);
  const pins = pinned.length === 0 ? "" : ` Production of ${list(pinned)} is pinned: what is released next serves nobody.`;
  const [newest] = served;
  if (!newest) return { level: pins ? "watch" : "empty", says: `No deployment is known to serve.${pins}` };
  const last = judged(newest);
  if (last?.verdict === "regressed") {
    const worse = last.measures.filter(({ verdict }) => verdict === "worse").map(called);
    return { level: "bad", says: `What serves is worse than the day before it: ${list(worse).toLowerCase()}.${pins}` };
  }
  const says = last ? "What serves is no worse than the day before it." : "What serves could not be compared yet.";
  return { level: pins ? "watch" : last ? "fine" : "unknown", says: says + pins };
}

function figure(value, { measure, unit }) {
  if (value == null) return "–";
  if (unit === "%") return `${percent(value)} %`;
  if (unit === "ms") return Object.values(duration(value)).join(" ");
  return measure.startsWith("event ") ? `${number(value)} ${unit}` : number(value);
}

function Projects({ projects }) {
  const columns = [
    { key: "whose", label: "Production of", wide: true, value: ({ source }) => WHOSE[source], show: ({ source, state }) => <><State is={{ free: "up", pinned: "watch" }[state]} says={capital(state)} quiet /> {capital(WHOSE[source])}</> },
    { key: "state", label: "New releases", value: ({ state }) => state, show: ({ state }) => ({ free: "serve", pinned: "serve nobody" }[state] ?? state) },
    { key: "since", label: "Pinned since", value: ({ pinnedSince }) => pinnedSince, show: ({ pinnedSince }) => (pinnedSince ? <Time at={pinnedSince} /> : "–") },
    { key: "live", label: "Serves", minor: true, value: ({ live }) => live ?? "", show: ({ live }) => (live ? <code>{live}</code> : "–") },
    { key: "read", label: "Read", minor: true, value: ({ readAt }) => readAt, show: ({ readAt, error }) => error ?? (readAt ? <Time at={readAt} /> : "never") },
  ];
  return <Table caption="Projects" columns={columns} rows={projects} id={({ source }) => source} />;
}

function Served({ served }) {
  const age = (minutes) => {
    const of = ({ comparisons }) => comparisons.find(({ ageMinutes }) => ageMinutes === minutes)?.verdict ?? "waiting";
    return { key: AGES[minutes], label: AGES[minutes], value: of, show: (one) => <State is={KINDS[of(one)]} says={of(one)} /> };
  };
  const columns = [
    { key: "deployment", label: "Deployment", wide: true, value: ({ deployment }) => deployment, show: ({ deployment, commit }) => <code>{commit?.slice(0, 7) ?? deployment}</code> },
    { key: "began", label: "Served since", value: ({ beganAt }) => beganAt, show: ({ beganAt }) => <Time at={beganAt} /> },
    ...[15, 60, 1440, 2880].map(age),
  ];
  return <Table caption="What served, against the day before it" columns={columns} rows={served} id={({ deployment, beganAt }) => deployment + beganAt} sorted={{ key: "began", down: true }} />;
}

function Measures({ comparison }) {
  const columns = [
    { key: "measure", label: "Measure", wide: true, value: called, show: (one) => <><State is={KINDS[one.verdict]} says={one.verdict} quiet /> {called(one)}</> },
    { key: "verdict", label: "Verdict", value: ({ verdict }) => verdict, show: ({ verdict }) => (verdict === "insufficient" ? "not enough data" : verdict) },
    { key: "after", label: "Now", number: true, value: ({ after }) => after, show: (one) => figure(one.after, one) },
    { key: "before", label: "Day before", number: true, value: ({ before }) => before, show: (one) => figure(one.before, one) },
    { key: "samples", label: "Rests on", number: true, minor: true, value: ({ afterSamples }) => afterSamples, show: ({ afterSamples, beforeSamples }) => `${number(afterSamples)} / ${number(beforeSamples)}` },
  ];
  const [examples] = comparison.measures.filter(({ examples }) => examples?.length > 0);
  return (
    <>
      <Table caption={`What serves, after ${AGES[comparison.ageMinutes]}`} columns={columns} rows={comparison.measures} id={({ measure }) => measure} />
      {examples && <p class="reason">{`${capital(count(examples.after, "new kind of error", "new kinds of error"))}: ${examples.examples.join("; ")}`}</p>}
    </>
  );
}

function Own({ deployments }) {
  const columns = [
    { key: "deployment", label: "Deployment", wide: true, value: ({ deployment }) => deployment, show: ({ deployment, commit }) => <code>{commit?.slice(0, 7) ?? deployment}</code> },
    { key: "event", label: "What became of it", value: ({ event }) => event, show: ({ event }) => capital(event.replace(/_/g, " ")) },
    { key: "at", label: "When", value: ({ at }) => at, show: ({ at }) => <Time at={at} /> },
  ];
  return <Table caption="Deployments of this bundle" columns={columns} rows={deployments} id={({ at, deployment, event }) => at + deployment + event} sorted={{ key: "at", down: true }} />;
}

function Body({ data }) {
  const { projects, served, ownDeployments } = data.production;
  const watched = projects.filter((project) => project.state !== "not watched");
  const comparison = served[0] && judged(served[0]);
  return (
    <>
      {served.length === 0 && <Empty command={"pourtrait door add vercel"}>Which deployment serves is told by Vercel's webhook, or read with a token (VERCEL_TOKEN, APP_VERCEL_PROJECT_ID):</Empty>}
      {watched.length > 0 && <Projects projects={watched} />}
      {served.length > 0 && <Served served={served} />}
      {comparison && <Measures comparison={comparison} />}
      {ownDeployments.length > 0 && <Own deployments={ownDeployments} />}
    </>
  );
}

export default {
  id: "production", title: "Production", part: "Requests", state, Body,
  defines: [
    { name: "Pinned", path: "production.projects", means: "After a rollback later releases get no domains, until one is promoted.", rule: "release_pinned" },
    { name: "Against the day before", path: "production.served", means: "The same measures a day before the deployment began, at 15 minutes, an hour, a day and two days.", rule: "release_regressed" },
  ],
};
