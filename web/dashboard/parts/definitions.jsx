// What each number of a panel means, where it stands in the document, and which entry of the
// runbook is about it.

import { signal } from "@preact/signals";
import { runbook } from "../words/names.js";
import { Dialog } from "./dialog.jsx";

const explained = signal(null);

/** Opens the definitions of a panel. */
export function explain(panel) {
  explained.value = panel;
}

export function Definitions() {
  const panel = explained.value;
  if (!panel) return null;
  return (
    <Dialog title={`${panel.title}: what the numbers mean`} close={() => (explained.value = null)}>
      <dl class="definitions">
        {panel.defines.map(({ name, path, means, rule }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {means} <code>.data.{path}</code>
              {rule && <> <a href={runbook(rule)}>Runbook: {rule}</a></>}
            </dd>
          </div>
        ))}
      </dl>
      <p class="muted">All of it is one document: <code>curl -H "Authorization: Bearer $MONITORING_API_KEY" {location.origin}/api/monitoring/dashboard</code></p>
    </Dialog>
  );
}
