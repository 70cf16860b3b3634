// What somebody may do about an incident or an alert, beside it.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { answer, outcome, pending } from "../state/answers.js";
import { may } from "../state/session.js";
import { capital } from "../words/numbers.js";
import { Dialog } from "./dialog.jsx";

const SNOOZES = [[60, "1 hour"], [240, "4 hours"], [720, "12 hours"], [1440, "1 day"]];
const ING = { acknowledge: "Acknowledging…", snooze: "Snoozing…", resolve: "Resolving…", note: "Noting…" };

/** What is asked for more: `{kind, id, name, action}`. */
const asked = signal(null);

/** Begins an action; one that needs more words asks for them. */
export function begin(kind, id, name, action) {
  if (!may("alerts.answer")) return;
  if (action === "acknowledge") void answer(kind, id, action);
  else asked.value = { kind, id, name, action };
}

/**
 * @param {object} props
 * @param {"incident" | "alert"} props.kind
 * @param {string} props.id
 * @param {string} props.name
 * @param {boolean} props.answered whether somebody has it already
 */
export function Answers({ kind, id, name, answered }) {
  if (!may("alerts.answer")) return null;
  const busy = pending.value[id];
  if (busy) return <p class="answers" role="status">{ING[busy]}</p>;
  const actions = ["acknowledge", "snooze", ...(kind === "incident" ? ["note"] : []), "resolve"];
  return (
    <div class="answers">
      {actions.filter((action) => !(answered && action === "acknowledge")).map((action) => (
        <button key={action} type="button" class={action === "acknowledge" ? "primary" : undefined} onClick={() => begin(kind, id, name, action)} aria-label={`${capital(action)}: ${name}`}>
          {capital(action)}
        </button>
      ))}
    </div>
  );
}

/** The dialog of what is asked for more. */
export function Asked() {
  if (!asked.value) return null;
  return <Ask key={asked.value.id + asked.value.action} {...asked.value} />;
}

function Ask({ kind, id, name, action }) {
  const [minutes, setMinutes] = useState(60);
  const [note, setNote] = useState("");
  const close = () => (asked.value = null);
  const send = (event) => {
    event.preventDefault();
    close();
    void answer(kind, id, action, { note: note.trim() || undefined, ...(action === "snooze" ? { minutes } : {}) });
  };
  return (
    <Dialog title={`${capital(action)}: ${name}`} close={close}>
      <form onSubmit={send}>
        {action === "snooze" && (
          <fieldset>
            <legend>For how long</legend>
            {SNOOZES.map(([length, label]) => (
              <label key={length}><input type="radio" name="minutes" checked={minutes === length} onChange={() => setMinutes(length)} /> {label}</label>
            ))}
          </fieldset>
        )}
        {action === "resolve" && <p>It opens again by itself if what it is about is still bad.</p>}
        <label>
          {action === "note" ? "What you found" : "A note, if there is something to say"}
          <textarea rows={3} maxLength={1000} required={action === "note"} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
        <button type="submit" class="primary">{capital(action)}</button>
      </form>
    </Dialog>
  );
}

/** What came of the last action. */
export function Outcome() {
  const said = outcome.value;
  return (
    <div class={`outcome ${said && !said.ok ? "bad" : ""}`} role="status">
      {said && <p>{said.says} <button type="button" class="plain" onClick={() => (outcome.value = null)}>Close</button></p>}
    </div>
  );
}
