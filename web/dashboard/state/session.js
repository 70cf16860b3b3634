// Who looks. Tokens lie in cookies that no script can read; an operator's key lies in this
// variable alone and is gone with the page.

import { signal } from "@preact/signals";

const ACCOUNT = "/api/account";

/** That somebody signed in here before: without it nobody is asked who is there. */
const MARK = "pourtrait.signedIn";

/** One refresh at a time, whatever tabs there are: a token that is used twice ends its family. */
const LOCK = "pourtrait.refresh";

/** This long before its end a token is renewed. */
const AHEAD_MS = 60_000;

let key = null;

/**
 * `checking`, `out` or `in`; with why somebody was signed out.
 * @type {import("@preact/signals").Signal<{state: string, account: object | null, notice: string}>}
 */
export const session = signal({ state: "checking", account: null, notice: "" });

export function may(permission) {
  return session.value.account?.permissions.includes(permission) ?? false;
}

/** Headers of a request of whoever is signed in. */
export function proof() {
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** Finds out whether somebody is still signed in from before. */
export async function resume() {
  const sent = location.hash === "#signed-in";
  if (sent) history.replaceState(null, "", location.pathname + location.search);
  if (!sent && localStorage.getItem(MARK) == null) return leave("");
  const answer = await ask({ method: "GET" });
  if (answer.status === 200) return enter(await answer.json());
  if (answer.status === 401) {
    if (!(await refresh())) leave("You were signed out, because nobody had looked for a while.");
    return;
  }
  session.value = { state: "out", account: null, notice: "Who you are cannot be asked right now; an operator's key works without that." };
}

/** Signs in by an action of the account; returns what is wrong, or an empty text. */
export async function signIn(body) {
  const answer = await ask({ method: "POST", body });
  if (answer.status === 200) {
    const account = await answer.json();
    if (account.signedIn) enter(account);
    return "";
  }
  if (answer.status === 429) {
    const seconds = Number(answer.headers.get("retry-after")) || 60;
    return `Too many tries. Try again in ${seconds} seconds.`;
  }
  if (answer.status === 401) return body.action === "verify" ? "That code is wrong or over." : "That is not an address and its password.";
  if (answer.status === 404) return "This deployment has no sign-in; use an operator's key.";
  return answer.status === 599 ? "The server cannot be reached." : "Signing in does not work right now; use an operator's key.";
}

/** Takes an operator's key, which the next request proves. */
export function takeKey(given) {
  key = given;
  session.value = {
    state: "in",
    account: { email: null, role: "operator", permissions: ["dashboard.read", "alerts.answer", "status.write", "audit.read"] },
    notice: "",
  };
}

export async function signOut() {
  if (!key) await ask({ method: "POST", body: { action: "signOut" } });
  leave("You are signed out.");
}

/** Ends it here: what was refused, or what is over. */
export function leave(notice) {
  key = null;
  localStorage.removeItem(MARK);
  session.value = { state: "out", account: null, notice };
}

/** A new token, by whichever tab comes first; false once the session is over. */
export async function refresh() {
  if (key) return false;
  const before = session.value.account?.expiresAt;
  return navigator.locks.request(LOCK, async () => {
    // Another tab may have done it while this one waited.
    if (before) {
      const now = await ask({ method: "GET" });
      if (now.status === 200) {
        const account = await now.json();
        if (account.expiresAt !== before) return enter(account);
      }
    }
    const answer = await ask({ method: "POST", body: { action: "refresh" } });
    if (answer.status !== 200) return false;
    return enter(await answer.json());
  });
}

/** Renews the token ahead of its end while somebody looks. */
export function keep() {
  setInterval(() => {
    const { state, account } = session.value;
    if (state !== "in" || key || document.hidden || !account.expiresAt) return;
    if (new Date(account.expiresAt) - Date.now() < AHEAD_MS) void refresh();
  }, 20_000);
}

function enter(account) {
  localStorage.setItem(MARK, "1");
  session.value = { state: "in", account, notice: "" };
  return true;
}

/** Asks the account; 599 where the server cannot be reached. */
export async function ask({ method, body }) {
  const options = { method, cache: "no-store", headers: {} };
  if (body) {
    options.body = JSON.stringify(body);
    options.headers["content-type"] = "application/json";
  }
  try {
    return await fetch(ACCOUNT, options);
  } catch {
    return new Response(null, { status: 599 });
  }
}
