// What is bad until it resolves, and who is asked next.

import { useEffect, useRef } from "preact/hooks";
import { Answers } from "../parts/answer.jsx";
import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { choices, pointed } from "../state/address.js";
import { matter, rule, runbook } from "../words/names.js";
import { asks, keeps } from "../words/ladder.js";
import { capital, count, list, number } from "../words/numbers.js";
import { openAlerts } from "../words/headline.js";

function state(data) {
  const { activeAlerts, criticalAlerts, recentAlerts } = data.alerts;
  if (activeAlerts === 0) {
    const past = recentAlerts.length;
    return { level: "fine", says: past === 0 ? "No alert was opened yet." : "None is open." };
  }
  const unanswered = openAlerts(data).filter(({ status, heldBy }) => status === "firing" && heldBy == null).length;
  return {
    level: criticalAlerts > 0 ? "bad" : "watch",
    says: `${count(activeAlerts, "alert is", "alerts are")} open${criticalAlerts > 0 ? `, ${number(criticalAlerts)} of them critical` : ""}. ${unanswered > 0 ? asked(data, unanswered) : "Nobody else is asked: each was answered, or waits for its cause."}`,
  };
}

function asked(data, many) {
  const people = [...new Set(data.onCall.map(({ name }) => name).filter(Boolean))];
  const next = [...new Set(data.onCall.map(({ next: then }) => then).filter(Boolean))].filter((name) => !people.includes(name));
  const whose = people.length > 0 ? `${list(people)} ${people.length === 1 ? "is" : "are"} asked now` : "Whoever reads the channels is asked";
  return `${capital(whose)} about ${number(many)}; whom the ladder asks after that stands below${next.length > 0 ? `; ${list(next)} ${next.length === 1 ? "has" : "have"} the next shift` : ""}.`;
}

function Body({ data }) {
  const open = openAlerts(data);
  const over = data.alerts.recentAlerts.filter(({ status }) => status === "resolved");
  if (open.length + over.length === 0) {
    return <Empty command={"pourtrait alerts prove"}>Rules open them. To see one go all the way to your channels:</Empty>;
  }
  const columns = [
    { key: "what", label: "Alert", wide: true, value: matter, show: matter },
    { key: "severity", label: "Severity", minor: true, value: ({ severity }) => severity },
    { key: "opened", label: "Opened", value: ({ timestamp }) => timestamp, show: ({ timestamp }) => <Time at={timestamp} absolute /> },
    { key: "over", label: "Over", minor: true, value: ({ resolvedAt }) => resolvedAt, show: ({ resolvedAt }) => <Time at={resolvedAt} absolute /> },
    { key: "incident", label: "Incident", number: true, value: ({ incident }) => incident, show: ({ incident }) => (incident == null ? "" : `#${incident}`) },
  ];
  const search = choices.value.search.toLowerCase();
  return (
    <>
      {open.map((alert) => <Open key={alert.id} alert={alert} />)}
      {over.length > 0 && (
        <Table
          caption="Alerts that are over" columns={columns} rows={over.filter((alert) => matter(alert).toLowerCase().includes(search))} id={({ id }) => id} sorted={{ key: "opened", down: true }}
          open={(alert) => <p>{alert.subject} <a href={runbook(alert.type)}>Runbook: {alert.type}</a></p>}
        />
      )}
    </>
  );
}

function Open({ alert }) {
  const place = useRef(null);
  const isPointed = pointed.value?.kind === "alert" && pointed.value.id === alert.id;
  useEffect(() => {
    if (!isPointed) return;
    place.current.scrollIntoView({ block: "center" });
    place.current.focus({ preventScroll: true });
  }, [isPointed]);
  const name = matter(alert);
  return (
    <article class={`item row ${alert.severity} ${isPointed ? "pointed" : ""}`} id={`alert-${alert.id}`} ref={place} tabIndex={-1} aria-label={`Alert: ${name}`} data-item="alert" data-id={alert.id} data-name={name}>
      <p>
        <State is={alert.severity} /> <a href={`#alert=${alert.id}`}>{name}</a>, {alert.status} since <Time at={alert.timestamp} absolute />
        {alert.incident != null && `, incident #${alert.incident}`}
        {alert.heldBy && `; held back as a consequence of ${rule(alert.heldBy.rule)}, ${alert.heldBy.subject}`}
        . <a href={runbook(alert.type)}>Runbook</a>
      </p>
      {alert.ladder && <Ladder ladder={alert.ladder} />}
      <Answers kind="alert" id={alert.id} name={name} answered={alert.status === "acknowledged"} />
    </article>
  );
}

/** Whom the ladder asks next, rung by rung. */
function Ladder({ ladder }) {
  const kept = keeps(ladder);
  return (
    <div class="ladder">
      {kept && <p>{kept.says}{kept.until && <> <Time at={kept.until} absolute />.</>}</p>}
      {ladder.rungs.length > 0 && (
        <ol>{ladder.rungs.map((rung) => <li key={rung.at + rung.level}><Time at={rung.at} absolute />: {asks(rung)}</li>)}</ol>
      )}
    </div>
  );
}

export default {
  id: "alerts", title: "Alerts", part: "Now", wide: true, state, Body,
  defines: [
    { name: "Open", path: "alerts.activeAlerts", means: "Not resolved yet: firing, or acknowledged by somebody. One opens after three bad looks in a row and ends after two good ones." },
    { name: "Critical", path: "alerts.criticalAlerts", means: "Those of them that are for now, whatever the hour." },
    { name: "Held back", path: "alerts.recentAlerts", means: "It is the consequence of another alert and waits for the end of that; nobody is woken by it." },
    { name: "Who is asked next", path: "alerts.recentAlerts", means: "The next rungs of the ladder of each of the eight newest open alerts, with whom they ask as shifts stand now; until somebody acknowledges it." },
  ],
};
