// The ways in: a code by email, a password, or an operator's key.

import { useState } from "preact/hooks";
import { session, signIn, takeKey } from "./state/session.js";

const WAYS = [["code", "Code by email"], ["password", "Password"], ["key", "Operator's key"]];

export function SignIn() {
  const [way, setWay] = useState("code");
  const { notice } = session.value;
  return (
    <main class="sign-in">
      <h1>Pourtrait Ops</h1>
      <p role="status" class={notice ? "notice" : "muted"}>{notice || "Whether the app works, who is at it, and what everything it stands on is doing."}</p>
      <fieldset class="ways">
        <legend class="unseen">Sign in by</legend>
        {WAYS.map(([name, label]) => (
          <label key={name} class={way === name ? "chosen" : undefined}>
            <input type="radio" name="way" checked={way === name} onChange={() => setWay(name)} /><span>{label}</span>
          </label>
        ))}
      </fieldset>
      {way === "code" && <Code />}
      {way === "password" && <Password />}
      {way === "key" && <Key />}
      <p class="muted small"><a href="/">What this is</a> · <a href="/runbook.html">Runbooks</a></p>
    </main>
  );
}

/** What a form sends, whether that is on its way, and what came of it. */
function useSending() {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const send = async (body) => {
    setBusy(true);
    setWrong("");
    const found = await signIn(body);
    setBusy(false);
    setWrong(found);
    return found === "";
  };
  return { busy, wrong, send };
}

function Code() {
  const { busy, wrong, send } = useSending();
  const [email, setEmail] = useState("");
  const [sent, setSent] = useState(false);
  const [code, setCode] = useState("");
  const ask = async (event) => {
    event.preventDefault();
    if (await send({ action: "code", email })) setSent(true);
  };
  const prove = (event) => {
    event.preventDefault();
    void send({ action: "verify", email, code: code.trim() });
  };
  if (!sent) {
    return (
      <form onSubmit={ask}>
        <Address value={email} set={setEmail} />
        <Wrong says={wrong} />
        <button type="submit" class="primary" disabled={busy}>Send me a code</button>
      </form>
    );
  }
  return (
    <form onSubmit={prove}>
      <p>If {email} may come in here, a code is on its way. It is good in this tab.</p>
      <label>Code<input inputMode="numeric" autoComplete="one-time-code" pattern="[0-9 ]{6,12}" required autoFocus value={code} onInput={(event) => setCode(event.currentTarget.value)} /></label>
      <Wrong says={wrong} />
      <button type="submit" class="primary" disabled={busy}>Sign in</button>
      <button type="button" class="plain" onClick={() => setSent(false)}>Another address</button>
    </form>
  );
}

function Password() {
  const { busy, wrong, send } = useSending();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const enter = (event) => {
    event.preventDefault();
    void send({ action: "password", email, password });
  };
  return (
    <form onSubmit={enter}>
      <Address value={email} set={setEmail} />
      <label>Password<input type="password" autoComplete="current-password" required value={password} onInput={(event) => setPassword(event.currentTarget.value)} /></label>
      <Wrong says={wrong} />
      <button type="submit" class="primary" disabled={busy}>Sign in</button>
    </form>
  );
}

function Key() {
  const [key, setKey] = useState("");
  const enter = (event) => {
    event.preventDefault();
    takeKey(key.trim());
  };
  return (
    <form onSubmit={enter}>
      <label>Key<input type="password" autoComplete="off" required value={key} onInput={(event) => setKey(event.currentTarget.value)} /></label>
      <p class="muted small">MONITORING_API_KEY of this deployment. It is kept in this tab's memory alone and is gone when it is closed or loaded anew.</p>
      <button type="submit" class="primary">Look</button>
    </form>
  );
}

function Address({ value, set }) {
  return <label>Email<input type="email" autoComplete="username" required value={value} onInput={(event) => set(event.currentTarget.value)} /></label>;
}

function Wrong({ says }) {
  return <p role="alert" class="wrong">{says}</p>;
}
