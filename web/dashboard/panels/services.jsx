// What the app stands on: now, and over ninety days.

import { Days } from "../charts/days.jsx";
import { begun, overall } from "../charts/day-words.js";
import { Empty } from "../parts/empty.jsx";
import { State } from "../parts/state.jsx";
import { Time } from "../parts/time.jsx";
import { service } from "../words/names.js";
import { reason } from "../words/reasons.js";
import { capital, count, duration, list, percent } from "../words/numbers.js";

const SEEN = "curl -H \"Authorization: Bearer $MONITORING_API_KEY\" \"$BASE_URL/api/cron/monitor\"";

/** The app first, then what it cannot do without. */
const ORDER = ["app", "database"];

function state({ systemHealth, uptime }) {
  const all = Object.entries(systemHealth.services);
  if (all.length === 0) return { level: "empty", says: "Nothing was looked at yet." };
  const of = (word) => all.filter(([, { status }]) => status === word).map(([name]) => service(name));
  const [down, degraded, unknown] = ["unhealthy", "degraded", "unknown"].map(of);
  const parts = [];
  if (down.length > 0) parts.push(`${list(down)} ${down.length === 1 ? "is" : "are"} down`);
  if (degraded.length > 0) parts.push(`${list(degraded)} ${degraded.length === 1 ? "is" : "are"} degraded`);
  if (unknown.length > 0) parts.push(`of ${list(unknown)} nothing is known`);
  const level = down.length > 0 ? "bad" : degraded.length > 0 ? "watch" : unknown.length > 0 ? "unknown" : "fine";
  const { lower, upper, coverage } = uptime.windows["30d"] ?? {};
  const month = uptime.uptime30d == null ? "" : ` The app was up ${percent(uptime.uptime30d)} % of what is known of 30 days${
    coverage != null && coverage < 99.9 ? `, which is ${percent(coverage)} % of the time (between ${percent(lower)} and ${percent(upper)} % in all)` : ""}.`;
  return { level, says: `${parts.length > 0 ? capital(list(parts)) : `All ${count(all.length, "service")} work`}.${month}` };
}

function Body({ data }) {
  const { services } = data.systemHealth;
  const { days, checks, windows, ...app } = data.uptime;
  const names = Object.keys(services).sort((one, other) => rank(one) - rank(other));
  if (names.length === 0) return <Empty command={SEEN}>The schedule calls it every minute. By hand:</Empty>;
  return (
    <ul class="services">
      {names.map((name) => (
        <Service key={name} name={name} now={services[name]} uptime={name === "app" ? app : checks[name]} from={days?.from} days={days?.services?.[name]} />
      ))}
    </ul>
  );
}

function rank(name) {
  const at = ORDER.indexOf(name);
  return at < 0 ? ORDER.length : at;
}

function Service({ name, now, uptime, from, days }) {
  const took = duration(now.responseTime);
  const whole = days && overall(days);
  return (
    <li class={`service ${now.status}`}>
      <div class="service-now">
        <State is={now.status} says={service(name)} />
        <span class="service-facts">
          {now.reason ? <span class="reason">{reason(now.reason)}</span> : <span class="number">{took.value} <span class="unit">{took.unit}</span></span>}
          {now.errorRate > 0 && <span class="number">{percent(now.errorRate)} <span class="unit">% failed</span></span>}
        </span>
        <span class="service-uptime">
          <span class="number">{percent(whole?.uptime ?? uptime?.uptime90d)} <span class="unit">% of {count(days ? days.up.length - begun(days) : 90, "day")}</span></span>
        </span>
      </div>
      {days ? <Days name={service(name)} from={from} days={days} /> : <p class="muted small">Looked at <Time at={now.lastCheck} />; {percent(uptime?.uptime24h)} % of 24 hours, {percent(uptime?.uptime30d)} % of 30 days.</p>}
    </li>
  );
}

export default {
  id: "services", title: "Services", part: "Now", wide: true, state, Body,
  defines: [
    { name: "Status", path: "systemHealth.services", means: "What the newest look at each service found; unknown once that is older than two intervals.", rule: "service_degraded" },
    { name: "Response time", path: "systemHealth.services", means: "How long the newest look took, in milliseconds." },
    { name: "Uptime", path: "uptime", means: "Time up, of the time that is known to be up or down. Announced maintenance and time nobody measured are in neither.", rule: "app_down" },
    { name: "Between … and …", path: "uptime.windows", means: "The bounds: if all the time that is not known had been down, and if it had been up." },
    { name: "A day", path: "uptime.windows", means: "A column: full height is 24 hours, the height of a colour is its share, a hatch is time not measured, a notch is maintenance. A minute down is drawn larger than it is." },
  ],
};
