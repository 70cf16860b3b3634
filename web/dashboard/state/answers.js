// What people do about incidents and alerts. It shows at once, and what was refused is told
// and taken back.

import { signal } from "@preact/signals";
import { look } from "./feed.js";
import { proof } from "./session.js";

const PATH = "/api/alerts/acknowledge";

const DONE = {
  acknowledge: "Acknowledged; the ladder waits.",
  snooze: "Snoozed.",
  resolve: "Resolved.",
  note: "Noted.",
};

/** What is on its way, by the id of what it is about: the action. */
export const pending = signal({});
/** What came of the last one: `{ok, says}`. */
export const outcome = signal(null);

/**
 * @param {"incident" | "alert"} kind
 * @param {string} id
 * @param {"acknowledge" | "snooze" | "resolve" | "note"} action
 * @param {{minutes?: number, note?: string}} [more]
 */
export async function answer(kind, id, action, more = {}) {
  pending.value = { ...pending.value, [id]: action };
  outcome.value = null;
  const said = await send(kind === "incident" ? { incident: id, action, ...more } : aboutAlert(id, action, more));
  const { [id]: _, ...others } = pending.value;
  pending.value = others;
  outcome.value = said.ok ? { ok: true, says: said.says ?? DONE[action] } : said;
  if (said.ok) await look();
  return said.ok;
}

function aboutAlert(alertId, action, { minutes, note }) {
  const until = minutes ? new Date(Date.now() + minutes * 60_000).toISOString() : undefined;
  return { alertId, action, until, note };
}

async function send(body) {
  try {
    const answered = await fetch(PATH, {
      method: "POST",
      headers: { ...proof(), "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });
    const said = await answered.json().catch(() => ({}));
    if (answered.ok) return heard(said);
    return { ok: false, says: `Not done: ${said.detail ?? said.title ?? `the server answered ${answered.status}`}.` };
  } catch {
    return { ok: false, says: "Not done: the server cannot be reached. Nothing was changed." };
  }
}

function heard({ outcome: word }) {
  if (word === "unknown") return { ok: false, says: "Not done: it is unknown there." };
  if (word === "resolved") return { ok: true, says: "It was over already." };
  return { ok: true };
}
