// Who tries to get in, and who may what.

import { Figure, Figures } from "../parts/figure.jsx";
import { Time } from "../parts/time.jsx";
import { count, number, percent } from "../words/numbers.js";

function state({ security }) {
  const { openAlerts, refusedPercent, windowMinutes, signInAttempts } = security;
  if (openAlerts > 0) return { level: "bad", says: `${count(openAlerts, "alert")} about security ${openAlerts === 1 ? "is" : "are"} open.` };
  const tried = signInAttempts ? ` From one address came at most ${count(signInAttempts.mostFromOneAddress, "attempt")} to sign in.` : "";
  return { level: "fine", says: `${refusedPercent == null ? "No request came" : `${percent(refusedPercent)} % of requests were refused`} in ${number(windowMinutes)} minutes.${tried}` };
}

function Body({ data }) {
  const { security } = data;
  const { signInAttempts: tried } = security;
  return (
    <Figures>
      <Figure label="Refused" value={percent(security.refusedPercent)} unit="%" more={`of ${number(security.windowMinutes)} minutes`} />
      <Figure label="Sign-ins from one address" value={tried ? number(tried.mostFromOneAddress) : "–"} more={tried ? null : "no audit in the database"} />
      <Figure label="Sign-ins for one account" value={tried ? number(tried.mostForOneAccount) : "–"} />
      <Figure label="Admins" value={number(security.admins)} />
      <Figure label="Access as it is since" value={<Time at={security.accessChangedAt} />} />
    </Figures>
  );
}

export default {
  id: "security", title: "Security", part: "Database and security", wide: true, state, Body,
  defines: [
    { name: "Refused", path: "security.refusedPercent", means: "Requests answered with 401 or 403.", rule: "refused_requests" },
    { name: "Sign-ins", path: "security.signInAttempts", means: "The most suspicious attempts of one kind, where the project keeps an audit in its database.", rule: "sign_in_attempts" },
    { name: "Admins", path: "security.admins", means: "How many admins the app has.", rule: "admin_granted" },
    { name: "Access as it is since", path: "security.accessChangedAt", means: "Since when row-level security, policies and grants in public are as they are.", rule: "access_drift" },
  ],
};
