import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, count, duration, list, number, percent, span } from "../words/numbers.js";
import { ago, rough } from "../words/times.js";

const check = (say, table) => {
  for (const [given, expected] of table) assert.deepEqual(say(given), expected, String(given));
};

test("a number has three significant digits at most, and a dash where nothing is known", () => {
  check(number, [[0, "0"], [7, "7"], [1234, "1,234"], [9999, "9,999"], [12_345, "12.3 k"], [2_500_000, "2.5 M"], [0.0123, "0.01"], [0.0012, "0.0012"], [14.36, "14.4"], [1491.7, "1,492"], [null, "–"], [undefined, "–"], [NaN, "–"], [Infinity, "–"]]);
});

test("percent are never rounded up to all", () => {
  check(percent, [[100, "100"], [99.999_9, "99.999"], [99.996, "99.996"], [99.89, "99.89"], [0, "0"], [1.104, "1.1"], [null, "–"]]);
});

test("times of work", () => {
  check(duration, [[12.3, { value: "12.3", unit: "ms" }], [999, { value: "999", unit: "ms" }], [1021, { value: "1.02", unit: "s" }], [90_000, { value: "2 min", unit: "" }], [null, { value: "–", unit: "" }]]);
  check(span, [[0, "0 s"], [59, "59 s"], [60, "1 min"], [3600, "1 h"], [3900, "1 h 5 min"], [90_000, "1 d 1 h"], [-120, "−2 min"], [null, "–"]]);
  check(rough, [[5, "5 s"], [300, "5 min"], [7200, "2 h"], [200_000, "2 d"]]);
});

test("bytes in powers of a thousand", () => {
  check(bytes, [[0, { value: "0", unit: "B" }], [1500, { value: "1.5", unit: "kB" }], [57_982_311, { value: "58", unit: "MB" }], [null, { value: "–", unit: "" }]]);
});

test("words agree with their number", () => {
  assert.equal(count(1, "alert"), "1 alert");
  assert.equal(count(2, "person", "people"), "2 people");
  assert.equal(count(0, "slot"), "no slots");
  assert.equal(list(["a"]), "a");
  assert.equal(list(["a", "b", "c"]), "a, b and c");
});

test("how long ago, and how long until", () => {
  const now = 1_000_000_000_000;
  assert.equal(ago(now - 10_000, now), "just now");
  assert.equal(ago(now - 300_000, now), "5 min ago");
  assert.equal(ago(now + 7_200_000, now), "in 2 h");
});
