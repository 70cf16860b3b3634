// Who has each rotation now, and who comes next.

import { Empty } from "../parts/empty.jsx";
import { Table } from "../parts/table.jsx";
import { Time } from "../parts/time.jsx";
import { list } from "../words/numbers.js";

const WHY = { rotation: "by turn", stand_in: "for somebody who is away", override: "by an override", swap: "by a swap", calendar: "by a calendar" };

function state({ onCall }) {
  if (onCall.length === 0) return { level: "empty", says: "Nobody takes turns: every contact is asked." };
  const holes = onCall.filter(({ name }) => name == null).map(({ rotation }) => rotation);
  if (holes.length > 0) return { level: "bad", says: `Nobody has ${list(holes)}.` };
  return { level: "fine", says: `${list(onCall.map(({ name, rotation }) => `${name} has ${rotation}`))}.` };
}

function Body({ data }) {
  if (data.onCall.length === 0) return <Empty command={"pourtrait oncall rotate primary --members anna,ben --weekly --on monday --at 09:00 --zone Europe/Berlin"}>A rotation hands a role over from day to day or from week to week:</Empty>;
  const columns = [
    { key: "rotation", label: "Rotation", wide: true, value: ({ rotation }) => rotation },
    { key: "name", label: "Now", value: ({ name }) => name, show: ({ name, why }) => (name == null ? "nobody" : <>{name} <span class="muted">{WHY[why] ?? why}</span></>) },
    { key: "until", label: "Until", value: ({ until }) => until, show: ({ until }) => (until == null ? "no change" : <Time at={until} absolute />) },
    { key: "next", label: "Then", value: ({ next }) => next, show: ({ next, until }) => next ?? (until == null ? "" : "nobody") },
  ];
  return <Table caption="On call" columns={columns} rows={data.onCall} id={({ rotation }) => rotation} />;
}

export default {
  id: "on-call", title: "On call", part: "Operation", state, Body,
  defines: [{ name: "Now, until, then", path: "onCall", means: "By turns, overrides, swaps, absences and calendars; a hole is a time in which nobody has it.", rule: "oncall_hole" }],
};
