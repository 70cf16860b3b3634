import assert from "node:assert/strict";
import { test } from "node:test";
import { told, overall } from "../charts/day-words.js";
import { figures, gaps, perMinute, sentence, share, thinned, times, zoomed } from "../charts/series.js";
import { ordered } from "../parts/order.js";

const line = (...values) => [{ label: "p95", values }];
const words = (value) => `${value} ms`;

test("a picture is a sentence: the end, the bounds, the tendency and what is not known", () => {
  assert.equal(sentence({ label: "p95", values: [100, 100, 200, 200] }, words), "p95: 200 ms at the end, between 100 ms and 200 ms, 150 ms on average; 100 % more in the later half.");
  assert.equal(sentence({ label: "p95", values: [null, 5, 5, 5] }, words), "p95: 5 ms at the end, between 5 ms and 5 ms, 5 ms on average; 25 % of the time is not known.");
  assert.equal(sentence({ label: "p95", values: [null] }, words), "p95: nothing is known.");
});

test("what is not known is no zero", () => {
  assert.equal(figures([null, null]), null);
  assert.deepEqual(perMinute([120, null, 0], 120), [60, null, 0]);
  assert.deepEqual(share([1, 1, null, 0], [4, 0, 3, null]), [25, null, null, null]);
});

test("points begin where the series does", () => {
  assert.deepEqual(times({ from: "1970-01-01T00:01:00Z", step: 60 }, 3), [60, 120, 180]);
});

test("fewer points are means of what they stand for, and a gap stays one", () => {
  const { at, lines } = thinned([0, 1, 2, 3, 4], line(1, 3, null, null, 9), 3);
  assert.deepEqual([at, lines[0].values], [[0, 2, 4], [2, null, 9]]);
});

test("a part is looked at where there is something to see in it", () => {
  const at = [0, 60, 120, 180];
  assert.deepEqual(zoomed(at, line(1, 2, 3, 4), [60, 130]).lines[0].values, [2, 3]);
  assert.deepEqual(zoomed(at, line(1, 2, 3, 4), [60, 70]).at, at);
  assert.deepEqual(zoomed(at, line(1, 2, 3, 4), [900, 990]).at, at);
});

test("gaps that touch are one", () => {
  assert.deepEqual(gaps([0, 60, 120, 180], [null, null, 1, null], 60), [[0, 120], [180, 240]]);
});

test("a day is told with all that it was", () => {
  const days = { up: [0, 86_280, 86_400], down: [0, 60, 0], unknown: [0, 180, 0], maintenance: [0, 0, 0] };
  assert.equal(told("2026-11-11", days, 0), "11 Nov: before it was watched.");
  assert.equal(told("2026-11-11", days, 1), "12 Nov: 99.93 %, 1 min down, 3 min not measured.");
  assert.equal(told("2026-11-11", days, 2), "13 Nov: 100 %.");
  assert.equal(Math.round(overall(days).known * 100), 9990);
});

test("rows that are not known come last, either way", () => {
  const rows = [{ v: 2 }, { v: null }, { v: 3 }];
  assert.deepEqual(ordered(rows, ({ v }) => v, false).map(({ v }) => v), [2, 3, null]);
  assert.deepEqual(ordered(rows, ({ v }) => v, true).map(({ v }) => v), [3, 2, null]);
});
