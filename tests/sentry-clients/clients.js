// What Sentry's clients deliver to the door with only their DSN changed. Run by `npm test`
// against a bundle on this machine: SENTRY_DSN is a project key's, DATABASE_URL its database.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";

const CLIENTS = ["sentry-10", "sentry-11"];

// What every client delivers, by kind, method, status and name.
const EXPECTED = [
  "error GET TypeError",
  "error Log",
  "error Message",
  "error RangeError",
  "event log",
  "feedback feedback",
  "metric cellar_temperature",
  "metric tasting",
  "metric wines_sold",
  "request GET 200 /wines",
  "request GET 500 /broken",
  "session exited",
  "session sessions",
  "span select * from wines where id = $1",
];

// What only newer ones deliver, or in another form.
const MORE = {
  "sentry-10": [],
  "sentry-11": ["span GET 200 127.0.0.1:PORT/wines", "span GET 500 127.0.0.1:PORT/broken"],
};

function run(client) {
  const app = fileURLToPath(new URL("app.cjs", import.meta.url));
  const child = spawn(process.execPath, [app, client], { stdio: "inherit" });
  return new Promise((ended) => child.on("exit", ended));
}

// The one value of a query, as JSON.
function query(sql) {
  const arguments_ = [process.env.DATABASE_URL, "--quiet", "--no-psqlrc", "-At", "--set=ON_ERROR_STOP=1", `--command=${sql}`];
  const { status, stdout, error } = spawnSync("psql", arguments_, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  if (status !== 0) throw error ?? new Error(`psql ended with ${status}`);
  return JSON.parse(stdout);
}

function items(client, columns, where = "true") {
  return query(`select coalesce(jsonb_agg(to_jsonb(found)), '[]') from (
    select distinct ${columns} from ops.items where release = 'wine@${client}' and source = 'sentry' and ${where}
  ) as found`);
}

before(async () => {
  assert.deepEqual(await Promise.all(CLIENTS.map(run)), CLIENTS.map(() => 0));
});

for (const client of CLIENTS) {
  test(`${client} delivers whatever an app tells it`, () => {
    const found = items(client, "kind, method, status, name").map(({ kind, method, status, name }) =>
      [kind, method, status, name].filter(Boolean).join(" ").replace(/127\.0\.0\.1:\d+/, "127.0.0.1:PORT"));
    const expected = [...EXPECTED, ...MORE[client]];
    // The error within the request knows its method where the client tells it.
    const without = (list) => list.map((item) => item.replace("error GET", "error")).sort();
    assert.deepEqual(without([...new Set(found)]), without(expected));
  });

  test(`${client} tells what happened, and of nobody what is personal`, () => {
    const [error] = items(client, "person, detail", "name = 'RangeError'");
    assert.equal(error.person, "7c5e");
    assert.equal(error.detail.message, "bottle 17 is out of range");
    assert.deepEqual(error.detail.fingerprint, ["cellar", "{{ default }}"]);
    assert.equal(error.detail.breadcrumbs.length, 20);
    assert.ok(error.detail.frames.some(({ function: name, in_app: ours }) => name === "main" && ours));
    const all = JSON.stringify(items(client, "name, person, detail"));
    for (const personal of ["anna@", "203.0.113.77", "abcdef"]) assert.ok(!all.includes(personal), personal);
    const took = items(client, "value", "kind in ('request', 'span')").map(({ value }) => value);
    assert.ok(took.every((value) => value >= 0 && value < 10_000), took.join());
    const numbers = items(client, "name, value", "kind = 'metric'").map(({ name, value }) => `${name} ${value}`);
    assert.deepEqual(numbers.sort(), ["cellar_temperature 12.5", "tasting 187", "wines_sold 3"]);
  });
}

test("a job that checks in is watched", () => {
  const watched = query(`select jsonb_object_agg(custom.name, jsonb_build_object(
      'period', custom.spec -> 'periodSeconds', 'grace', custom.spec -> 'graceSeconds',
      'well', heartbeat.succeeded_at is not null and heartbeat.failed_at is null,
      'runs', (select count(*) from ops.heartbeat_runs as run where run.heartbeat = custom.name and run.ended_at is not null)
    ))
    from ops.custom_checks as custom join ops.heartbeats as heartbeat using (name) where custom.enabled`);
  assert.deepEqual(watched["nightly-import"], { period: 90_000, grace: 600, well: true, runs: 2 });
  assert.deepEqual(watched["weekly-report"], { period: 604_800, grace: 60, well: false, runs: 2 });
});

test("what a client dropped itself is counted", () => {
  const dropped = query("select coalesce(sum(items), 0) from ops.door_drops where reason = 'client: no_parent_span'");
  assert.ok(dropped > 0, dropped);
});
