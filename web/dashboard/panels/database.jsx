// The database itself, from the server's own statistics.

import { Meter } from "../charts/meter.jsx";
import { Empty } from "../parts/empty.jsx";
import { Figure, Figures } from "../parts/figure.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { bytes, count, duration, number, percent, span } from "../words/numbers.js";

function state({ database }) {
  const { connections, locks, longestTransaction, slowQueries } = database;
  const used = connections.used == null ? null : (connections.used / connections.maximum) * 100;
  const parts = [];
  if (locks.length > 0) parts.push(`${count(locks.length, "session waits", "sessions wait")} for a lock.`);
  if (longestTransaction?.seconds > 300) parts.push(`A transaction is open for ${span(longestTransaction.seconds)}.`);
  if (slowQueries?.length > 0) parts.push(`${count(slowQueries.length, "statement takes", "statements take")} more than 500 ms on average.`);
  const level = used > 80 || locks.length > 0 ? "watch" : "fine";
  return { level, says: `${number(connections.used)} of ${number(connections.maximum)} connections are open; ${percent(database.cacheHitRatio)} % of blocks were found in memory. ${parts.join(" ")}` };
}

function Body({ data }) {
  const { database } = data;
  const { connections, longestTransaction } = database;
  const { active, idle, idleInTransaction, other } = connections.byState;
  return (
    <>
      <Figures>
        <Figure label="Connections" value={number(connections.used)} more={`of ${number(connections.maximum)}`} />
        <Figure label="At work" value={number(active)} more={`${number(idle)} idle, ${number(idleInTransaction)} in a transaction${other > 0 ? `, ${number(other)} other` : ""}`} />
        <Figure label="Found in memory" value={percent(database.cacheHitRatio)} unit="%" />
        <Figure label="Size" value={bytes(database.sizeBytes)} />
        <Figure label="Longest transaction" value={longestTransaction ? span(longestTransaction.seconds) : "none"} more={longestTransaction?.state} />
        <Figure label="PostgreSQL" value={database.version.split(" ")[0]} />
      </Figures>
      {connections.used != null && <Meter value={connections.used} most={connections.maximum} limit={connections.maximum * 0.8} level={connections.used > connections.maximum * 0.8 ? "bad" : "fine"} label={`${connections.used} of ${connections.maximum} connections`} />}
      <Locks locks={database.locks} />
      <Statements database={database} />
      <Tables tables={database.tables} />
    </>
  );
}

function Locks({ locks }) {
  if (locks.length === 0) return null;
  const columns = [
    { key: "query", label: "Waits for a lock", wide: true, value: ({ query }) => query, show: ({ query, pid }) => <><code>{query}</code> <span class="muted">{pid}</span></> },
    { key: "since", label: "For", number: true, value: ({ seconds }) => seconds, show: ({ seconds }) => span(seconds) },
    { key: "by", label: "Held by", value: ({ blockedBy }) => blockedBy[0]?.pid, show: ({ blockedBy }) => blockedBy.map(({ pid }) => pid).join(", ") },
  ];
  return <Table caption="Who waits for a lock" columns={columns} rows={locks} id={({ pid }) => pid} open={({ blockedBy }) => blockedBy.map(({ pid, query, state: does, seconds }) => <p key={pid}>{pid}, {does}, {span(seconds)}: <code>{query}</code></p>)} />;
}

function Statements({ database }) {
  const { slowQueries, topQueries, queriesUnknown, queriesSince } = database;
  if (topQueries == null) return <Empty command={"psql \"$DATABASE_URL\" -c 'create extension pg_stat_statements'"}>Nothing is known of statements: {queriesUnknown ?? "pg_stat_statements is not there"}.</Empty>;
  const columns = (label) => [
    { key: "query", label, wide: true, value: ({ query }) => query, show: ({ query }) => <code class="cut">{query}</code> },
    { key: "calls", label: "Calls", number: true, value: ({ calls }) => calls, show: ({ calls }) => number(calls) },
    { key: "mean", label: "Mean", number: true, value: ({ meanMs }) => meanMs, show: ({ meanMs }) => Object.values(duration(meanMs)).join(" ") },
    { key: "total", label: "In all", number: true, minor: true, value: ({ totalMs }) => totalMs, show: ({ totalMs }) => span(totalMs / 1000) },
    { key: "hits", label: "In memory", number: true, minor: true, value: ({ cacheHitPercent }) => cacheHitPercent, show: ({ cacheHitPercent }) => (cacheHitPercent == null ? "–" : `${percent(cacheHitPercent)} %`) },
  ];
  const whole = ({ query, rows, maxMs }) => <p><code>{query}</code> {number(rows)} rows, {Object.values(duration(maxMs)).join(" ")} at most.</p>;
  return (
    <>
      {slowQueries?.length > 0 && <Table caption="Slow statements" columns={columns("Slow statements")} rows={slowQueries} id={({ query }) => query} open={whole} />}
      <Table caption="Statements that took most time" columns={columns("Statements that took most time")} rows={topQueries} id={({ query }) => query} open={whole} />
      {queriesSince && <p class="muted small">Counted since <Time at={queriesSince} />.</p>}
    </>
  );
}

function Tables({ tables }) {
  const columns = [
    { key: "table", label: "Table", wide: true, value: ({ table }) => table, show: ({ table }) => <code>{table}</code> },
    { key: "size", label: "Size", number: true, value: ({ sizeBytes }) => sizeBytes, show: ({ sizeBytes }) => Object.values(bytes(sizeBytes)).join(" ") },
    { key: "rows", label: "Rows", number: true, value: ({ rows }) => rows, show: ({ rows }) => number(rows) },
    { key: "dead", label: "Dead", number: true, minor: true, value: ({ deadPercent }) => deadPercent, show: ({ deadPercent }) => (deadPercent == null ? "–" : `${percent(deadPercent)} %`) },
    { key: "bloat", label: "Waste", number: true, minor: true, value: ({ bloatBytes }) => bloatBytes, show: ({ bloatBytes }) => Object.values(bytes(bloatBytes)).join(" ") },
    { key: "vacuum", label: "Vacuumed", minor: true, value: ({ lastVacuum }) => lastVacuum, show: ({ lastVacuum }) => <Time at={lastVacuum} /> },
  ];
  return <Table caption="The largest tables" columns={columns} rows={tables} id={({ table }) => table} sorted={{ key: "size", down: true }} />;
}

export default {
  id: "database", title: "Database", part: "Database and security", wide: true, state, Body,
  defines: [
    { name: "Connections", path: "database.connections", means: "Open now, of those allowed; the notch is where an alert opens.", rule: "connections_high" },
    { name: "Found in memory", path: "database.cacheHitRatio", means: "Percent of blocks that did not have to be read from disk." },
    { name: "Slow statements", path: "database.slowQueries", means: "With a mean above 500 ms; without values.", rule: "slow_queries" },
    { name: "Statements that took most time", path: "database.topQueries", means: "All calls of each together." },
    { name: "Waste", path: "database.tables", means: "Bytes of a table that hold nothing, an estimate." },
  ],
};
