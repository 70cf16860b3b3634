// The sentence at the top, and what changed since somebody last looked.

import { now } from "../state/clock.js";
import { lookedBefore, seen } from "../state/visit.js";
import { changes } from "../words/changes.js";
import { headline } from "../words/headline.js";
import { matter } from "../words/names.js";
import { Answers } from "./answer.jsx";
import { State } from "./state.jsx";
import { Time } from "./time.jsx";

const STATES = { fine: "up", watch: "degraded", bad: "down", unknown: "unknown" };

export function Headline({ data }) {
  const { level, says, details, next, runbook, incident, alert, answered } = headline(data, now.value);
  const first = incident ?? alert;
  return (
    <section class={`headline ${level}`} aria-labelledby="headline">
      <h1 id="headline"><State is={STATES[level]} quiet />{says}</h1>
      <p>{details} {next}</p>
      {(first || runbook) && (
        <div class="actions">
          {first && <Answers kind={incident ? "incident" : "alert"} id={first.id} name={matter(first)} answered={answered} />}
          {incident && <a href={`#incident=${incident.id}`}>Its timeline</a>}
          {runbook && <a href={runbook}>Runbook</a>}
        </div>
      )}
      <Changes data={data} />
    </section>
  );
}

function Changes({ data }) {
  const since = lookedBefore.value;
  if (since == null) return null;
  const found = changes(data, since);
  return (
    <div class="changes">
      <h2>Since you last looked, <Time at={since} />{found.length === 0 && ": nothing changed"}</h2>
      {found.length > 0 && (
        <>
          <ul>{found.map(({ at, says, panel }) => <li key={says + at}><Time at={at} absolute /> <a href={`#${panel}`}>{says}</a></li>)}</ul>
          <button type="button" class="plain" onClick={seen}>I have seen it</button>
        </>
      )}
    </div>
  );
}
