// Who was there, how often they come, and for how long.

import { Empty } from "../parts/empty.jsx";
import { Figure, Figures } from "../parts/figure.jsx";
import { count, list, number, percent, span } from "../words/numbers.js";

function state({ people, sessions }) {
  if (people.active + people.visitors + sessions.visits === 0) return { level: "empty", says: "Nobody was there in this range." };
  const stays = sessions.medianSeconds == null ? "" : ` Half of the sessions lasted ${span(sessions.medianSeconds)} or more.`;
  return { level: "fine", says: `${count(people.active, "person was", "people were")} there, ${number(people.new)} for the first time.${stays}` };
}

function Body({ data }) {
  const { people, sessions } = data;
  if (people.active + people.visitors + sessions.visits === 0) return <Empty>Rows of <code>user_events</code> or <code>ops.event(…)</code> with a user's id tell of people: docs/analytics.md.</Empty>;
  const devices = Object.entries(sessions.devices).sort(([, one], [, other]) => other - one);
  return (
    <>
      <Figures>
        <Figure label="Today" value={number(people.active24h)} more="24 hours" />
        <Figure label="This week" value={number(people.active7d)} more="7 days" />
        <Figure label="This month" value={number(people.active30d)} more="30 days" />
        <Figure label="Stickiness" value={percent(people.stickinessPercent)} unit="%" more={`${number(people.activeADay)} on a day`} />
        <Figure label="Came back" value={number(people.returning)} more={`of ${number(people.active)}`} />
        <Figure label="Unknown visitors" value={number(people.visitors)} />
        <Figure label="Visits" value={number(sessions.visits)} more={sessions.visitsPerPerson == null ? null : `${number(sessions.visitsPerPerson)} each`} />
        <Figure label="Pages a session" value={number(sessions.pagesPerSession)} more={`${count(sessions.sessions, "session")}`} />
      </Figures>
      {devices.length > 0 && <p>Sessions by device: {list(devices.map(([device, many]) => `${number(many)} ${device}`))}.</p>}
    </>
  );
}

export default {
  id: "people", title: "People and sessions", part: "People", state, Body,
  defines: [
    { name: "Today, this week, this month", path: "people", means: "Distinct users of events and requests in the last 24 hours, 7 and 30 days." },
    { name: "Stickiness", path: "people.stickinessPercent", means: "Those of a day, the mean of 30 days that are over, of those of 30 days." },
    { name: "Unknown visitors", path: "people.visitors", means: "Of whom nothing is known, each once a day." },
    { name: "Visits", path: "sessions.visits", means: "Session ids of events, each where it was seen first." },
    { name: "Pages a session", path: "sessions.pagesPerSession", means: "Of sessions as the app wrote them, or visits as the door knows them." },
  ],
};
