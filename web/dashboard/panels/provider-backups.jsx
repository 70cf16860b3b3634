// The backups that the provider of the database makes itself.

import { Empty } from "../parts/empty.jsx";
import { Figure, Figures } from "../parts/figure.jsx";
import { State } from "../parts/state.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { span } from "../words/numbers.js";

const STATES = {
  fine: ["fine", "They are as they should be."],
  failed: ["bad", "The newest one failed."],
  old: ["bad", "None was made for more than a day."],
  gap: ["bad", "The log behind point-in-time recovery does not keep up."],
  unreadable: ["unknown", "They cannot be read."],
  unread: ["unknown", "They were not read yet."],
  none: ["unknown", "The project has none."],
  "not watched": ["empty", "They are not watched."],
};

function state({ providerBackups }) {
  const [level, says] = STATES[providerBackups.state] ?? ["unknown", providerBackups.state];
  return { level, says };
}

const ENDED = { COMPLETED: "done", ARCHIVED: "done", FAILED: "failed" };

function Body({ data: { providerBackups } }) {
  const { state: word, newestAt, ageSeconds, pitr, readAt, error, backups } = providerBackups;
  if (word === "not watched") return <Empty>With SUPABASE_ACCESS_TOKEN they are looked at once an hour.</Empty>;
  const columns = [
    { key: "at", label: "Made", wide: true, value: ({ at }) => at, show: ({ at, status }) => <><State is={ENDED[status]} says={status.toLowerCase()} quiet /> <Time at={at} /></> },
    { key: "status", label: "Outcome", value: ({ status }) => status, show: ({ status }) => status.toLowerCase() },
  ];
  return (
    <>
      <Figures>
        <Figure label="Newest" value={newestAt ? <Time at={newestAt} /> : "–"} more={ageSeconds != null && `${span(ageSeconds)} ago`} />
        <Figure label="Any moment" value={pitr == null ? "–" : pitr ? "yes" : "no"} />
        <Figure label="Read" value={readAt ? <Time at={readAt} /> : "never"} />
      </Figures>
      {error && <p class="reason">{error}</p>}
      {backups.length > 0 && <Table caption="Newest" columns={columns} rows={backups} id={({ at, status }) => at + status} sorted={{ key: "at", down: true }} />}
    </>
  );
}

export default {
  id: "provider-backups", title: "Provider's backups", part: "Recovery", state, Body,
  defines: [
    { name: "Newest", path: "providerBackups.newestAt", means: "The newest moment that the provider could bring back.", rule: "provider_backup" },
    { name: "Any moment", path: "providerBackups.pitr", means: "Whether the project has point-in-time recovery." },
  ],
};
