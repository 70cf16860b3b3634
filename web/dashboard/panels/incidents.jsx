// What people work on: what is open with its timeline, then what is over.

import { useEffect, useRef, useState } from "preact/hooks";
import { Answers } from "../parts/answer.jsx";
import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { choices, point, pointed } from "../state/address.js";
import { matter, runbook, service, side } from "../words/names.js";
import { capital, count, list, number, span } from "../words/numbers.js";
import { timeline } from "../words/timeline.js";
import { openIncidents } from "../words/headline.js";

function state(data) {
  const open = openIncidents(data);
  const over = data.incidents.length - open.length;
  const past = over > 0 ? `${count(over, "incident")} in this range ${over === 1 ? "is" : "are"} over.` : "None in this range.";
  if (open.length === 0) return { level: "fine", says: over > 0 ? `Nothing is open. ${past}` : past };
  const unanswered = open.filter(({ acknowledgedAt }) => acknowledgedAt == null).length;
  const waiting = unanswered === 0 ? "somebody has each of them" : `nobody has ${unanswered === open.length ? (open.length === 1 ? "it" : "any of them") : number(unanswered)} yet`;
  return { level: "bad", says: `${open.length === 1 ? "One is" : `${number(open.length)} are`} open, and ${waiting}.` };
}

function Body({ data }) {
  const open = openIncidents(data);
  const over = data.incidents.filter(({ status }) => status === "resolved");
  if (data.incidents.length === 0) {
    return <Empty command={"pourtrait incidents open 'Payments fail' --severity high"}>An alert opens one by itself; so can you, about what you see:</Empty>;
  }
  return (
    <>
      {open.map((incident) => <Open key={incident.id} incident={incident} data={data} />)}
      {over.length > 0 && <Past incidents={over} data={data} />}
    </>
  );
}

function Open({ incident, data }) {
  const place = useRef(null);
  const isPointed = pointed.value?.kind === "incident" && pointed.value.id === incident.id;
  useEffect(() => {
    if (isPointed) reach(place.current);
  }, [isPointed]);
  const name = `incident ${incident.number}, ${matter(incident)}`;
  return (
    <article
      class={`item open ${incident.severity} ${isPointed ? "pointed" : ""}`} id={`incident-${incident.id}`} ref={place} tabIndex={-1}
      aria-label={capital(name)} data-item="incident" data-id={incident.id} data-name={name}
    >
      <h4>
        <State is={incident.severity} /> <a href={`#incident=${incident.id}`}>#{incident.number} {matter(incident)}</a>
      </h4>
      <Facts incident={incident} />
      <Answers kind="incident" id={incident.id} name={name} answered={incident.acknowledgedAt != null} />
      <Timeline incident={incident} data={data} />
    </article>
  );
}

function reach(element) {
  element.scrollIntoView({ block: "center" });
  element.focus({ preventScroll: true });
}

function Facts({ incident }) {
  const { affects, impact, cause, rule, ...times } = incident;
  const at = side(cause.side);
  const hit = [
    impact.users > 0 && count(impact.users, "person", "people"),
    impact.failedRequests > 0 && count(impact.failedRequests, "failed request"),
    impact.minutesDown >= 1 && `${number(impact.minutesDown)} min down`,
    impact.reports > 0 && count(impact.reports, "report"),
  ].filter(Boolean);
  return (
    <p>
      {capital(times.status)} for <span class="number">{span(times.durationSeconds)}</span>.
      {affects.length > 0 && ` ${list(affects.map(service))} ${affects.length === 1 ? "suffers" : "suffer"}.`}
      {hit.length > 0 && ` It hit ${list(hit)}.`}
      {at && ` ${cause.by ? "It is" : "Probably"} on ${cause.side === "ours" ? at : `the side of ${at}`}.`}
      {rule && <> <a href={runbook(rule)}>Runbook: {rule}</a></>}
    </p>
  );
}

function Timeline({ incident, data }) {
  return (
    <ol class="timeline">
      {timeline(incident, data).map(({ at, says, kind }) => (
        <li key={says + at} class={kind}><Time at={at} absolute /> <span>{says}</span></li>
      ))}
    </ol>
  );
}

function Past({ incidents, data }) {
  const pointedId = pointed.value?.kind === "incident" ? pointed.value.id : null;
  const found = incidents.find(({ id }) => id === pointedId);
  const place = useRef(null);
  useEffect(() => {
    if (found) reach(place.current);
  }, [found?.id]);
  const columns = [
    { key: "number", label: "Incident", wide: true, value: ({ number: nth }) => nth, show: (incident) => <>#{incident.number} {matter(incident)}</> },
    { key: "severity", label: "Severity", minor: true, value: ({ severity }) => severity },
    { key: "began", label: "Began", value: ({ startedAt }) => startedAt, show: ({ startedAt }) => <Time at={startedAt} absolute /> },
    { key: "lasted", label: "Lasted", number: true, value: ({ durationSeconds }) => durationSeconds, show: ({ durationSeconds }) => span(durationSeconds) },
    { key: "answered", label: "Answered after", number: true, minor: true, value: ({ timeToAcknowledgeSeconds }) => timeToAcknowledgeSeconds, show: ({ timeToAcknowledgeSeconds }) => (timeToAcknowledgeSeconds == null ? "never" : span(timeToAcknowledgeSeconds)) },
    { key: "users", label: "People hit", number: true, minor: true, value: ({ impact }) => impact.users, show: ({ impact }) => number(impact.users) },
  ];
  return (
    <>
      {found && (
        <article class="item pointed" id={`incident-${found.id}`} ref={place} tabIndex={-1} aria-label={`Incident ${found.number}, over`}>
          <h4><State is="resolved" /> #{found.number} {matter(found)}</h4>
          <Facts incident={found} />
          <Timeline incident={found} data={data} />
          <button type="button" class="plain" onClick={() => point("")}>Close</button>
        </article>
      )}
      <Table
        caption="Incidents that are over" columns={columns} rows={incidents.filter((incident) => matches(matter(incident)))} id={({ id }) => id} sorted={{ key: "began", down: true }}
        open={(incident) => <><Facts incident={incident} /><Timeline incident={incident} data={data} /></>}
      />
    </>
  );
}

function matches(text) {
  return text.toLowerCase().includes(choices.value.search.toLowerCase());
}

export default {
  id: "incidents", title: "Incidents", part: "Now", wide: true, state, Body,
  defines: [
    { name: "Incident", path: "incidents", means: "One or more alerts that belong together, or what somebody reported. It ends with its last alert, or when somebody says so." },
    { name: "Began", path: "incidents", means: "The first bad look, which is before the alert: an alert opens after three in a row." },
    { name: "Answered after", path: "incidents", means: "From the first alert until a person answered it; never where none did before it was over." },
    { name: "People hit", path: "incidents", means: "Distinct users or sessions with a failed request or an error while it lasted." },
    { name: "Side", path: "incidents", means: "Whose fault it is: probable from what was known as it began, or what somebody said." },
  ],
};
