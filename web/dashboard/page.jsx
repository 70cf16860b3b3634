// The page: sentences first, then pictures, then tables.

import { Hatch } from "./charts/days.jsx";
import { Spoken } from "./charts/time-chart.jsx";
import { PARTS, arranged } from "./panels/all.js";
import { Asked, Outcome } from "./parts/answer.jsx";
import { Bar } from "./parts/bar.jsx";
import { Contents } from "./parts/contents.jsx";
import { Definitions } from "./parts/definitions.jsx";
import { Headline } from "./parts/headline.jsx";
import { Keys } from "./parts/keys.jsx";
import { Lost } from "./parts/lost.jsx";
import { Panel } from "./parts/panel.jsx";
import { Stale } from "./parts/stale.jsx";
import { SignIn } from "./sign-in.jsx";
import { choices } from "./state/address.js";
import { known, loading, look, trouble } from "./state/feed.js";
import { session } from "./state/session.js";
import { standing } from "./words/standing.js";

export function Page() {
  const { state } = session.value;
  if (state === "checking") return <main class="opening" aria-busy="true"><h1>Pourtrait Ops</h1></main>;
  if (state === "out") return <SignIn />;
  return (
    <>
      <a class="skip" href="#content">To what is the matter</a>
      <Bar />
      <Stale />
      <Hatch />
      <main id="content" tabIndex={-1} aria-busy={loading.value}>
        {known.value ? <Known data={known.value.data} /> : <Awaited />}
      </main>
      <Outcome />
      <Spoken />
      <Definitions />
      <Asked />
      <Keys />
    </>
  );
}

/** Before the first answer: the shape of what comes, or why nothing does. */
function Awaited() {
  if (!trouble.value) {
    return (
      <section class="headline awaited">
        <h1>Looking…</h1>
        <p class="muted">Everything known is asked for in one go.</p>
      </section>
    );
  }
  return (
    <section class="headline unknown">
      <h1>Nothing is known yet.</h1>
      <p>The dashboard could not be read: {trouble.value.says}. It is tried again by itself.</p>
      <p class="actions">
        <button type="button" class="primary" onClick={() => look()}>Try now</button> <a href="/health">Is it this deployment?</a> <a href="/runbook.html#monitoring_blind">Runbook</a>
      </p>
    </section>
  );
}

function Known({ data }) {
  const search = choices.value.search.trim().toLowerCase();
  const all = arranged(data);
  const panels = search === "" ? all : all.filter((panel) => mentions(panel, data, search));
  return (
    <>
      <Headline data={data} />
      <Lost data={data} />
      <div class="body">
        <Contents panels={panels} data={data} />
        <div class="parts">
          {PARTS.map((part) => {
            const those = panels.filter((panel) => panel.part === part);
            return those.length === 0 ? null : (
              <section key={part} class="part" aria-labelledby={`part-${part}`}>
                <h2 id={`part-${part}`}>{part}</h2>
                <div class="panels">{those.map((panel) => <Panel key={panel.id} panel={panel} data={data} />)}</div>
              </section>
            );
          })}
          {panels.length === 0 && <p>Nothing here speaks of “{choices.value.search}”.</p>}
        </div>
      </div>
    </>
  );
}

/** Whether a panel's name, sentence, definitions or figures speak of something. */
function mentions(panel, data, search) {
  const said = [panel.title, panel.part, standing(panel, data).says, ...panel.defines.map(({ name }) => name)].join(" ").toLowerCase();
  return said.includes(search) || panel.defines.some(({ path }) => JSON.stringify(at(data, path))?.toLowerCase().includes(search));
}

function at(data, path) {
  return path.split(".").reduce((value, key) => value?.[key], data);
}
