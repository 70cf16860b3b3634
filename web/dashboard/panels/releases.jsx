// Versions of the app, and what became of deployments.

import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { capital, duration, number, percent } from "../words/numbers.js";
import { rough } from "../words/times.js";
import { now } from "../state/clock.js";

function state({ releases, deployments }) {
  const failed = deployments.find(({ event }) => event === "failed");
  if (releases.length === 0 && deployments.length === 0) return { level: "empty", says: "No version and no deployment is known." };
  const [newest] = releases;
  const fresh = newest ? `The newest version, ${newest.release}, was first seen ${rough((now.value - new Date(newest.firstSeen)) / 1000)} ago.` : "";
  if (failed && failed === deployments[0]) return { level: "watch", says: `The newest deployment failed. ${fresh}` };
  return { level: "fine", says: fresh || `The newest deployment: ${deployments[0].event.replace(/[_-]/g, " ")}.` };
}

const EVENTS = { failed: "failed", canceled: "unknown", rolled_back: "watch", created: "unknown" };

function Body({ data }) {
  const { releases, deployments } = data;
  if (releases.length + deployments.length === 0) return <Empty command={"pourtrait door add vercel"}>Versions come with what the app sends by the door; deployments with Vercel's webhook:</Empty>;
  const vital = (name) => ({
    key: name, label: name, number: true, minor: true, value: ({ webVitals }) => webVitals[name]?.p75,
    show: ({ webVitals }) => (name === "CLS" ? number(webVitals[name]?.p75) : Object.values(duration(webVitals[name]?.p75)).join(" ")),
  });
  const columns = [
    { key: "release", label: "Version", wide: true, value: ({ release }) => release, show: ({ release }) => <code>{release}</code> },
    { key: "seen", label: "First seen", value: ({ firstSeen }) => firstSeen, show: ({ firstSeen }) => <Time at={firstSeen} /> },
    { key: "views", label: "Views", number: true, value: ({ views }) => views, show: ({ views }) => number(views) },
    { key: "errors", label: "Errors", number: true, value: ({ errors }) => errors, show: ({ errors }) => number(errors) },
    { key: "crashFree", label: "Crash-free", number: true, value: ({ crashFreePercent }) => crashFreePercent, show: ({ crashFreePercent }) => (crashFreePercent == null ? "–" : `${percent(crashFreePercent)} %`) },
    vital("LCP"),
  ];
  const marks = [
    { key: "event", label: "Deployment", wide: true, value: ({ event }) => event, show: ({ event, deployment, commit }) => <><State is={EVENTS[event] ?? "up"} says={capital(event.replace(/[_-]/g, " "))} /> <code>{commit?.slice(0, 7) ?? deployment}</code></> },
    { key: "branch", label: "Branch", minor: true, value: ({ branch }) => branch },
    { key: "at", label: "When", value: ({ at }) => at, show: ({ at }) => <Time at={at} /> },
  ];
  return (
    <>
      {releases.length > 0 && <Table caption="Versions" columns={columns} rows={releases} id={({ release }) => release} sorted={{ key: "seen", down: true }} />}
      {deployments.length > 0 && <Table caption="Deployments" columns={marks} rows={deployments} id={({ at, deployment, event }) => at + deployment + event} sorted={{ key: "at", down: true }} />}
    </>
  );
}

export default {
  id: "releases", title: "Releases", part: "Requests", state, Body,
  defines: [
    { name: "Version", path: "releases", means: "What the app calls itself in what it sends; its first sign counts as its beginning." },
    { name: "Crash-free", path: "releases", means: "Sessions of that version that did not crash, of those whose clients count them." },
    { name: "Deployment", path: "deployments", means: "What the platform's webhook told." },
  ],
};
