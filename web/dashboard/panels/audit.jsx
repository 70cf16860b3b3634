// What is left undone and nobody is about to do.

import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { runbook } from "../words/names.js";
import { capital, count, number } from "../words/numbers.js";
import { AUDIT } from "../words/headline.js";

function state({ audit }) {
  if (audit.clean) return { level: "fine", says: "Nothing is left undone: every message, alert, escalation and job has an owner." };
  return { level: "watch", says: `${count(audit.findings.length, "thing is", "things are")} left undone.` };
}

function Body({ data }) {
  if (data.audit.clean) return null;
  const columns = [
    { key: "kind", label: "What", wide: true, value: ({ kind }) => kind, show: ({ kind, subject }) => <><a href={runbook(AUDIT[kind])}>{capital(kind.replaceAll("_", " "))}</a>, {subject}</> },
    { key: "count", label: "How many", number: true, value: ({ count: many }) => many, show: ({ count: many }) => number(many) },
    { key: "since", label: "Since", value: ({ since }) => since, show: ({ since }) => <Time at={since} /> },
  ];
  return <Table caption="What is left undone" columns={columns} rows={data.audit.findings} id={({ kind, subject }) => kind + subject} />;
}

export default {
  id: "audit", title: "Left undone", part: "Operation", state, Body,
  defines: [{ name: "Left undone", path: "audit.findings", means: "Found by the watching about itself: messages without an owner, alerts that nobody heard of, escalations and jobs that are due.", rule: "outbox_stuck" }],
};
