// The door, as whoever runs it sees it: keys by the command, and what came in by the database.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

// How long is waited for what has to come.
const PATIENCE = 10_000;

function run(command, arguments_) {
  const { status, stdout, stderr, error } = spawnSync(command, arguments_, { encoding: "utf8" });
  if (status !== 0) throw error ?? new Error(`${command} ended with ${status}: ${stderr}`);
  return stdout;
}

// The one value of a query, as JSON.
export function query(sql) {
  const arguments_ = [process.env.DATABASE_URL, "--quiet", "--no-psqlrc", "-At", "--set=ON_ERROR_STOP=1", `--command=${sql}`];
  return JSON.parse(run("psql", arguments_));
}

// How much each key brought of which its test knows how much it is.
const settled = new Map();

// A project key, whose name says what for.
export function addKey(purpose, ...options) {
  const name = `${purpose} ${randomUUID()}`;
  const { key, url, dsn } = JSON.parse(run(process.env.POURTRAIT, ["door", "add", name, "--json", ...options]));
  return { id: key.id, url, dsn };
}

// What came in with a key, in the order of its kinds and names.
function items(key) {
  return query(`select coalesce(jsonb_agg(to_jsonb(item) - 'key' order by item.kind, item.name, item.at), '[]')
    from ops.items as item where item.key = ${key.id}`);
}

// What is read as soon as it is enough, or after all patience.
export async function until(read, isEnough) {
  const patience = Date.now() + PATIENCE;
  for (;;) {
    const found = read();
    if (isEnough(found) || Date.now() > patience) return found;
    await pause(100);
  }
}

// What came in with a key, once it is enough: a number, or what tells.
export async function arrived(key, enough) {
  if (typeof enough === "function") return until(() => items(key), enough);
  const found = await until(() => items(key), ({ length }) => length >= enough);
  settled.set(key.id, enough);
  return found;
}

// What was not taken of what a key brought, by reason.
export function drops(key) {
  return query(`select coalesce(jsonb_object_agg(reason, items), '{}') from (
    select reason, sum(items) as items from ops.door_drops where key = ${key.id} group by reason
  ) as counted`);
}

// Items in short: kind, name, and the number where it is one that is known beforehand.
export function short(found) {
  return found.map(({ kind, name, value }) => [kind, name, kind === "metric" ? value : null].filter((word) => word !== null).join(" "));
}

// Fails where something came a second time, or after its test.
export function nothingElseCame() {
  const now = new Map([...settled.keys()].map((id) => [id, items({ id }).length]));
  assert.deepEqual(now, settled);
}
