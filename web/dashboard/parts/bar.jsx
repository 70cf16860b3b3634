// The bar at the top: what is looked at, when that was, and who looks.

import { choices, choose } from "../state/address.js";
import { ENVIRONMENTS, RANGES } from "../state/choices.js";
import { loading, look, seenAt } from "../state/feed.js";
import { helping } from "../state/keys.js";
import { session, signOut } from "../state/session.js";
import { Device } from "./device.jsx";
import { Time } from "./time.jsx";

const NAMES = { "1h": "hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days", "1y": "year" };

export function Bar() {
  const { range, environment, search } = choices.value;
  return (
    <header class="bar">
      <a class="brand" href="/">Pourtrait Ops</a>
      <fieldset class="ranges">
        <legend class="unseen">Range</legend>
        {RANGES.map((one) => (
          <label key={one} class={one === range ? "chosen" : undefined}>
            <input type="radio" name="range" value={one} checked={one === range} onChange={() => choose({ range: one })} /><span title={`The last ${NAMES[one]}`}>{one}</span>
          </label>
        ))}
      </fieldset>
      <label class="environment">
        <span class="unseen">Environment</span>
        <select value={environment} onChange={(event) => choose({ environment: event.currentTarget.value })}>
          {ENVIRONMENTS.map((one) => <option key={one} value={one}>{one}</option>)}
        </select>
      </label>
      <label class="search">
        <span class="unseen">Search panels, incidents, endpoints, errors</span>
        <input type="search" id="search" placeholder="Search  /" value={search} onInput={(event) => choose({ search: event.currentTarget.value })} />
      </label>
      <span class="seen">{loading.value || seenAt.value == null ? "looking…" : <>seen <Time at={seenAt.value} /></>} <button type="button" class="plain" onClick={() => look()}>Look now</button></span>
      <Account />
    </header>
  );
}

function Account() {
  const { account } = session.value;
  return (
    <span class="account">
      <button type="button" class="plain" onClick={() => (helping.value = true)} aria-label="Keys">?</button>
      <span class="muted">{account.email ?? "operator's key"}{account.role && account.email && `, ${account.role}`}</span>
      <Device account={account} />
      <button type="button" class="plain" onClick={() => signOut()}>Sign out</button>
    </span>
  );
}
