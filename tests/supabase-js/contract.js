// What an app relies on when it talks to Supabase with supabase-js. Run against
// any project by `npm test`, with the variables that project.js names.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { client, keys, service, setUp, stranger, tearDown, user } from "./project.js";

const WINES = [
  { id: 1, name: "Barolo", vintage: 2016, price: 59.5, tags: ["red", "dry"], data: { grape: "Nebbiolo", stars: 5 } },
  { id: 2, name: "Riesling, dry", vintage: 2021, price: 12, tags: ["white"], data: { grape: "Riesling", stars: 4 } },
  { id: 3, name: "Cava \"Brut\"", vintage: null, price: 9.25, tags: [], data: null },
];

before(setUp);
after(tearDown);
beforeEach(async () => {
  for (const [table, column] of [["contract_wines", "id"], ["contract_notes", "id"], ["contract_stock", "slot"]]) {
    ok(await service.from(table).delete().not(column, "is", null));
  }
  ok(await service.from("contract_wines").insert(WINES));
});

// The data of an answer that must be a success.
function ok({ data, error, status }, expected) {
  assert.equal(error, null);
  if (expected !== undefined) assert.equal(status, expected);
  return data;
}

function refused({ data, error, status }, expectedStatus, code) {
  assert.equal(data, null);
  assert.equal(error?.code, code, error?.message);
  assert.equal(status, expectedStatus);
  return error;
}

const wines = () => service.from("contract_wines");

async function ids(query) {
  return ok(await query.order("id")).map(({ id }) => id);
}

test("insert answers with what select asks for", async () => {
  assert.equal(ok(await wines().insert({ id: 10, name: "Rioja" }), 201), null);
  const one = await wines().insert({ id: 11, name: "Syrah" }).select("id, label:name, tags").single();
  assert.deepEqual(ok(one, 201), { id: 11, label: "Syrah", tags: [] });
  const many = await wines().insert([{ id: 12, name: "a" }, { id: 13, name: "b", vintage: 2000 }]).select("id,vintage");
  assert.deepEqual(ok(many, 201), [{ id: 12, vintage: null }, { id: 13, vintage: 2000 }]);
  const defaults = await service.from("contract_stock").insert(
    [{ shelf: "a", slot: 1 }, { shelf: "a", slot: 2, bottles: 1 }],
    { defaultToNull: false },
  ).select("bottles");
  assert.deepEqual(ok(defaults, 201), [{ bottles: 6 }, { bottles: 1 }]);
  refused(await wines().insert({ id: 1, name: "again" }), 409, "23505");
  refused(await wines().insert({ id: 20, nope: 1 }), 400, "PGRST204");
  refused(await service.from("contract_unknown").insert({ id: 1 }), 404, "PGRST205");
});

test("select gives every column in its form", async () => {
  const [barolo] = ok(await wines().select().eq("id", 1), 200);
  assert.deepEqual(barolo, { ...WINES[0], tasted_at: null });
  const shaped = await wines().select("grape:data->>grape, stars:data->stars, vintage::text").eq("id", 1);
  assert.deepEqual(ok(shaped), [{ grape: "Nebbiolo", stars: 5, vintage: "2016" }]);
});

test("filters find the rows that they name", async () => {
  const find = () => wines().select("id");
  assert.deepEqual(await ids(find().eq("name", "Riesling, dry")), [2]);
  assert.deepEqual(await ids(find().neq("vintage", 2016)), [2]);
  assert.deepEqual(await ids(find().gt("price", 9.25).lte("price", 12)), [2]);
  assert.deepEqual(await ids(find().in("name", ["Barolo", "Riesling, dry", "Cava \"Brut\""])), [1, 2, 3]);
  assert.deepEqual(await ids(find().in("id", [])), []);
  assert.deepEqual(await ids(find().is("vintage", null)), [3]);
  assert.deepEqual(await ids(find().not("vintage", "is", null)), [1, 2]);
  assert.deepEqual(await ids(find().like("name", "%aro%")), [1]);
  assert.deepEqual(await ids(find().ilike("name", "cava%")), [3]);
  assert.deepEqual(await ids(find().likeAnyOf("name", ["Bar%", "Cava%"])), [1, 3]);
  assert.deepEqual(await ids(find().contains("tags", ["red"])), [1]);
  assert.deepEqual(await ids(find().containedBy("tags", ["white", "red"])), [2, 3]);
  assert.deepEqual(await ids(find().overlaps("tags", ["dry", "white"])), [1, 2]);
  assert.deepEqual(await ids(find().contains("data", { stars: 4 })), [2]);
  assert.deepEqual(await ids(find().eq("data->>grape", "Riesling")), [2]);
  assert.deepEqual(await ids(find().match({ vintage: 2021, price: 12 })), [2]);
  assert.deepEqual(await ids(find().or("id.eq.1,and(vintage.is.null,price.lt.10)")), [1, 3]);
  assert.deepEqual(await ids(find().or("name.eq.\"Riesling, dry\",tags.cs.{red}")), [1, 2]);
  assert.deepEqual(await ids(find().filter("vintage", "in", "(2016,2021)")), [1, 2]);
  assert.deepEqual(await ids(find().textSearch("name", "cava", { type: "plain", config: "english" })), [3]);
  refused(await find().eq("id", "x"), 400, "22P02");
  refused(await find().eq("nope", 1), 400, "42703");
});

test("order, limit and range cut the rows", async () => {
  const find = () => wines().select("id");
  const list = async (query) => ok(await query).map(({ id }) => id);
  assert.deepEqual(await list(find().order("vintage", { ascending: false, nullsFirst: false })), [2, 1, 3]);
  assert.deepEqual(await list(find().order("vintage", { nullsFirst: true }).order("id")), [3, 1, 2]);
  assert.deepEqual(await list(find().order("id").limit(2)), [1, 2]);
  assert.deepEqual(await list(find().order("id").range(1, 2)), [2, 3]);
});

test("counts come with rows, or alone", async () => {
  const some = await wines().select("id", { count: "exact" }).order("id").limit(2);
  assert.deepEqual([some.status, some.count, some.data.length], [206, 3, 2]);
  const alone = await wines().select("*", { count: "exact", head: true }).gt("price", 10);
  assert.deepEqual([alone.status, alone.count, alone.data], [200, 2, null]);
  const estimated = await wines().select("*", { count: "estimated", head: true });
  assert.equal(estimated.count, 3);
  const changed = await wines().update({ vintage: 1 }, { count: "exact" }).gt("price", 10);
  assert.deepEqual([changed.status, changed.count], [204, 2]);
});

test("single wants one row, maybeSingle at most one", async () => {
  const find = () => wines().select("id");
  assert.deepEqual(ok(await find().eq("id", 2).single()), { id: 2 });
  const error = refused(await find().single(), 406, "PGRST116");
  assert.equal(error.details, "The result contains 3 rows");
  refused(await find().eq("id", 99).single(), 406, "PGRST116");
  assert.deepEqual(ok(await find().eq("id", 2).maybeSingle()), { id: 2 });
  assert.equal(ok(await find().eq("id", 99).maybeSingle()), null);
  assert.equal((await find().maybeSingle()).error?.code, "PGRST116");
});

test("upsert merges, or ignores what exists", async () => {
  const stock = () => service.from("contract_stock");
  assert.equal((await stock().upsert({ shelf: "a", slot: 1, bottles: 1 })).status, 201);
  const merged = await stock().upsert({ shelf: "a", slot: 1, bottles: 2 }).select();
  assert.deepEqual(ok(merged, 200), [{ shelf: "a", slot: 1, bottles: 2 }]);
  const both = [{ shelf: "a", slot: 1, bottles: 3 }, { shelf: "a", slot: 2, bottles: 4 }];
  assert.deepEqual(ok(await stock().upsert(both, { onConflict: "shelf,slot" }).select(), 201), both);
  const ignored = await stock().upsert({ shelf: "a", slot: 1, bottles: 9 }, { ignoreDuplicates: true }).select();
  assert.deepEqual(ok(ignored, 201), []);
  refused(await stock().upsert({ shelf: "a", slot: 1 }, { onConflict: "bottles" }), 400, "42P10");
});

test("update and delete change the rows that they name, and never all by mistake", async () => {
  const renamed = await wines().update({ name: "Barbaresco" }).eq("id", 1).select("name").single();
  assert.deepEqual(ok(renamed, 200), { name: "Barbaresco" });
  assert.deepEqual(ok(await wines().update({ name: "x" }).eq("id", 99).select(), 200), []);
  assert.equal(ok(await wines().delete().eq("id", 1), 204), null);
  assert.deepEqual(ok(await wines().delete().gt("price", 10).select("id"), 200), [{ id: 2 }]);
  refused(await wines().delete(), 400, "21000");
  assert.deepEqual(await ids(wines().select("id")), [3]);
});

test("rpc takes arguments by name and gives the function's result", async () => {
  assert.equal(ok(await service.rpc("contract_add", { a: 1, b: 2 }), 200), 3);
  assert.equal(ok(await service.rpc("contract_add", { a: 1 }, { get: true }), 200), 11);
  assert.equal(ok(await service.rpc("contract_total", { numbers: [1, 2, 3] })), 6);
  assert.equal(ok(await service.rpc("contract_total", { numbers: [1, 2, 3] }, { get: true })), 6);
  assert.equal(ok(await service.rpc("contract_touch"), 204), null);
  const found = await service.rpc("contract_search", { part: "r" }, { count: "exact" }).select("id").order("id", { ascending: false }).limit(2);
  assert.deepEqual([found.data, found.count, found.status], [[{ id: 3 }, { id: 2 }], 3, 206]);
  const counted = await service.rpc("contract_search", { part: "r" }, { head: true, count: "exact" });
  assert.deepEqual([counted.data, counted.count], [null, 3]);
  assert.equal(ok(await service.rpc("contract_search", { part: "cava" }).single()).id, 3);
  refused(await service.rpc("contract_add", { c: 1 }), 404, "PGRST202");
  const error = refused(await service.rpc("contract_refuse"), 409, "PT409");
  assert.deepEqual([error.message, error.details, error.hint], ["refused", "because", "try not to"]);
});

test("every form of key gives its role", async () => {
  for (const { name, role, key } of keys) {
    assert.deepEqual(ok(await client(key).rpc("contract_who")), { role, uid: null }, name);
  }
  assert.equal((await client("sb_publishable_wrong").rpc("contract_who")).status, 401);
});

test("a user sees and writes their own rows only", async () => {
  const one = user();
  const two = user();
  assert.deepEqual(ok(await one.client.rpc("contract_who")), { role: "authenticated", uid: one.id });
  const written = await one.client.from("contract_notes").insert({ text: "mine" }).select("owner,text").single();
  assert.deepEqual(ok(written, 201), { owner: one.id, text: "mine" });
  ok(await two.client.from("contract_notes").insert({ text: "theirs" }));
  assert.deepEqual(ok(await one.client.from("contract_notes").select("text")), [{ text: "mine" }]);
  assert.deepEqual(ok(await stranger.from("contract_notes").select("text")), []);
  assert.deepEqual(ok(await two.client.from("contract_notes").update({ text: "x" }).eq("owner", one.id).select()), []);
  refused(await one.client.from("contract_notes").insert({ text: "x", owner: two.id }), 403, "42501");
  refused(await stranger.from("contract_notes").insert({ text: "x", owner: two.id }), 401, "42501");
  refused(await one.client.from("contract_stock").insert({ shelf: "a", slot: 1 }), 403, "42501");
  refused(await user(-60).client.from("contract_notes").select(), 401, "PGRST303");
});

test("requests at once do not disturb each other", async () => {
  const users = [user(), user(), user()];
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, number) => users[number % 3].client.rpc("contract_who")),
  );
  answers.forEach((answer, number) => assert.equal(ok(answer).uid, users[number % 3].id));
  const inserts = await Promise.all(
    Array.from({ length: 20 }, () => wines().insert({ id: 50, name: "one wins" })),
  );
  assert.deepEqual(inserts.map(({ status }) => status).sort(), [201, ...Array(19).fill(409)]);
});
