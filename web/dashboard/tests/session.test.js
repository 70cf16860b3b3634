// Sign-in against a stand-in of the account, which no other test uses.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const asked = [];
let answers = {};
const kept = new Map();
let lock = Promise.resolve();
Object.assign(globalThis, {
  location: { hash: "", pathname: "/dashboard", search: "" },
  history: { replaceState() {} },
  localStorage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) },
  fetch: async (path, { method, body }) => {
    const action = method === "GET" ? "who" : JSON.parse(body).action;
    asked.push(action);
    const [status, said, headers] = answers[action]?.shift() ?? [401, { title: "invalid" }];
    return new Response(JSON.stringify(said), { status, headers });
  },
});
// One at a time, as the browser has it for all tabs.
globalThis.navigator ??= {};
Object.defineProperty(navigator, "locks", { configurable: true, value: { request: (_, work) => (lock = lock.then(work)) } });

const { leave, may, refresh, resume, session, signIn, signOut, takeKey, proof } = await import("../state/session.js");
const account = (expiresAt) => ({ signedIn: true, email: "anna@wine.example", role: "viewer", permissions: ["dashboard.read"], expiresAt });

beforeEach(() => {
  leave("");
  kept.clear();
  asked.length = 0;
});

test("a stranger is asked nothing and shown the form", async () => {
  await resume();
  assert.deepEqual([session.value.state, asked], ["out", []]);
});

test("who was here comes back, by a new token where the old one is over", async () => {
  kept.set("pourtrait.signedIn", "1");
  answers = { refresh: [[200, account("2026-11-30T13:00:00Z")]] };
  await resume();
  assert.deepEqual([session.value.state, asked], ["in", ["who", "refresh"]]);
});

test("after a long pause it is said why the form is there", async () => {
  kept.set("pourtrait.signedIn", "1");
  answers = {};
  await resume();
  assert.equal(session.value.state, "out");
  assert.match(session.value.notice, /nobody had looked/);
});

test("while the account cannot be asked, nobody is forgotten", async () => {
  kept.set("pourtrait.signedIn", "1");
  answers = { who: [[503, {}]] };
  await resume();
  assert.match(session.value.notice, /cannot be asked right now/);
  assert.equal(kept.get("pourtrait.signedIn"), "1");
});

test("what the role may not do is not offered", async () => {
  answers = { password: [[200, account("2026-11-30T13:00:00Z")]] };
  assert.equal(await signIn({ action: "password", email: "a", password: "b" }), "");
  assert.deepEqual([may("dashboard.read"), may("alerts.answer")], [true, false]);
});

test("two tabs that want a new token ask for one", async () => {
  answers = { password: [[200, account("2026-11-30T12:00:00Z")]] };
  await signIn({ action: "password", email: "a", password: "b" });
  asked.length = 0;
  const [old, fresh] = [account("2026-11-30T12:00:00Z"), account("2026-11-30T13:00:00Z")];
  answers = { who: [[200, old], [200, fresh]], refresh: [[200, fresh]] };
  assert.deepEqual(await Promise.all([refresh(), refresh()]), [true, true]);
  assert.deepEqual(asked, ["who", "refresh", "who"]);
});

test("each refusal is told in words", async () => {
  answers = { password: [[401, {}], [429, {}, { "retry-after": "30" }]], verify: [[401, {}]], code: [[200, { sent: true }]] };
  assert.match(await signIn({ action: "password" }), /not an address and its password/);
  assert.match(await signIn({ action: "password" }), /in 30 seconds/);
  assert.match(await signIn({ action: "verify" }), /wrong or over/);
  assert.equal(await signIn({ action: "code" }), "");
  assert.equal(session.value.state, "out");
});

test("a key lies in no store and is gone with the session", async () => {
  takeKey("secret");
  assert.deepEqual([session.value.state, proof(), kept.size], ["in", { authorization: "Bearer secret" }, 0]);
  await signOut();
  assert.deepEqual([session.value.state, proof(), asked], ["out", {}, []]);
});
