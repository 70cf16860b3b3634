// Messages on their way to people, and those that were given up.

import { Empty } from "../parts/empty.jsx";
import { Figure, Figures } from "../parts/figure.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { channel, rule } from "../words/names.js";
import { capital, count, number, span } from "../words/numbers.js";

/** A message that is due for longer is stuck. */
const STUCK_SECONDS = 300;

function state({ outbox }) {
  const { dead, pending, sent24h, oldestPendingSeconds } = outbox;
  const sent = `${count(sent24h, "message was", "messages were")} sent in 24 hours`;
  if (dead.length > 0) return { level: "bad", says: `${count(dead.length, "message was", "messages were")} given up; ${sent}.` };
  if (oldestPendingSeconds > STUCK_SECONDS) return { level: "watch", says: `The oldest has been due for ${span(oldestPendingSeconds)}; ${sent}.` };
  return { level: "fine", says: `${capital(sent)}${pending > 0 ? `, ${number(pending)} wait` : "; none waits"}, none was given up.` };
}

function Body({ data }) {
  const { dead, pending, sent24h, oldestPendingSeconds } = data.outbox;
  const columns = [
    { key: "about", label: "Given up", wide: true, value: (row) => row.rule, show: (row) => <><State is={row.severity} quiet /> {capital(rule(row.rule))}</> },
    { key: "channel", label: "Channel", value: (row) => row.channel, show: (row) => channel(row.channel) },
    { key: "error", label: "Why", minor: true, value: ({ error }) => error ?? "" },
    { key: "at", label: "Written", value: ({ at }) => at, show: ({ at }) => <Time at={at} /> },
  ];
  return (
    <>
      <Figures>
        <Figure label="Sent" value={number(sent24h)} more="24 hours" />
        <Figure label="Waiting" value={number(pending)} more={oldestPendingSeconds == null ? null : `due for ${span(oldestPendingSeconds)}`} />
        <Figure label="Given up" value={number(dead.length)} level={dead.length > 0 ? "bad" : "fine"} />
      </Figures>
      {dead.length > 0 && <Table caption="Messages that were given up" columns={columns} rows={dead} id={({ id }) => id} sorted={{ key: "at", down: true }} open={({ id, error }) => <p>{error} Again: <code>pourtrait alerts resend {id}</code></p>} />}
      {sent24h + pending + dead.length === 0 && <Empty command={"pourtrait alerts prove"}>To send a test over every channel now:</Empty>}
    </>
  );
}

export default {
  id: "messages", title: "Messages", part: "Operation", state, Body,
  defines: [
    { name: "Waiting", path: "outbox.pending", means: "Written and not sent yet; some wait on purpose, for a digest or the end of a silence.", rule: "outbox_stuck" },
    { name: "Given up", path: "outbox.dead", means: "Every attempt failed, also over another channel; somebody has to look.", rule: "channel_failing" },
  ],
};
