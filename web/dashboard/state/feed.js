// The document, asked for again and again while somebody looks. What was seen stays on an
// error, and says since when it is old.

import { effect, signal } from "@preact/signals";
import { choices } from "./address.js";
import { leave, proof, refresh, session } from "./session.js";
import { pause } from "./pace.js";

const PATH = "/api/monitoring/dashboard";
const PATIENCE_MS = 20_000;

/** What is known; null before the first answer. */
export const known = signal(null);
/** When that was asked, by this machine's clock. */
export const seenAt = signal(null);
/** Why nothing newer is known: `{since, says}`; null while all is well. */
export const trouble = signal(null);
/** Whether an answer is awaited that whoever looks asked for. */
export const loading = signal(false);

let etag = null;
let failures = 0;
let timer = null;
let asked = null;

/** Looks from now on, whenever somebody is signed in and the page can be seen. */
export function watch() {
  effect(() => {
    const { range, environment } = choices.value;
    const { state } = session.value;
    if (state === "in") return start(`${PATH}?timeRange=${range}&environment=${environment}`);
    forget();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (asked) void look();
  });
  addEventListener("online", () => asked && void look());
}

/** Looks now. */
export async function look() {
  clearTimeout(timer);
  if (!asked || document.hidden) return;
  const { url } = asked;
  const waiting = asked;
  await ask(url, waiting);
  if (waiting !== asked) return;
  loading.value = false;
  timer = setTimeout(look, pause(failures));
}

function start(url) {
  if (asked?.url === url) return;
  asked?.controller.abort();
  asked = { url, controller: new AbortController() };
  etag = null;
  loading.value = true;
  void look();
}

function forget() {
  clearTimeout(timer);
  asked?.controller.abort();
  [asked, etag, failures] = [null, null, 0];
  known.value = seenAt.value = trouble.value = null;
}

async function ask(url, { controller }) {
  const headers = { ...proof(), ...(etag ? { "if-none-match": etag } : {}) };
  try {
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(PATIENCE_MS)]);
    const answer = await fetch(url, { headers, signal, cache: "no-store" });
    if (answer.status === 304) return succeed();
    if (answer.status === 401 && !(await refresh())) {
      return leave(known.value ? "You were signed out, because nobody had looked for a while." : "That key was refused.");
    }
    if (answer.status === 403) return leave("This account may not see the dashboard; an admin can give it a role.");
    if (!answer.ok) return fail(await reason(answer));
    const body = await answer.json();
    if (controller.signal.aborted) return;
    etag = answer.headers.get("etag");
    known.value = body;
    succeed();
  } catch (error) {
    if (controller.signal.aborted) return;
    fail(error.name === "TimeoutError" ? `no answer within ${PATIENCE_MS / 1000} s` : "the server cannot be reached");
  }
}

function succeed() {
  failures = 0;
  seenAt.value = Date.now();
  trouble.value = null;
}

function fail(says) {
  failures += 1;
  trouble.value = { since: trouble.value?.since ?? seenAt.value ?? Date.now(), says };
}

async function reason(answer) {
  const problem = await answer.json().catch(() => null);
  return problem?.detail ?? problem?.title ?? `the server answered ${answer.status}`;
}
