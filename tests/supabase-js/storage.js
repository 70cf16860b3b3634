// What an app relies on when it keeps files with supabase-js.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client, keys, service, stranger } from "./project.js";

const BUCKET = "contract-files";
const files = () => service.storage.from(BUCKET);

function ok({ data, error }) {
  assert.equal(error, null);
  return data;
}

// Storage answers with 400; the real status stands in the body.
function refused({ data, error }, status) {
  assert.equal(data, null);
  assert.equal(String(error.statusCode), status, error.message);
  return error;
}

async function bytes(path) {
  return Buffer.from(await ok(await files().download(path)).arrayBuffer());
}

async function remove() {
  await service.storage.emptyBucket(BUCKET);
  await service.storage.deleteBucket(BUCKET);
}

before(async () => {
  await remove();
  ok(await service.storage.createBucket(BUCKET, { public: false, fileSizeLimit: 1000, allowedMimeTypes: ["image/*"] }));
});
after(remove);

test("a bucket is made, shown, changed and removed when it is empty", async () => {
  refused(await service.storage.createBucket(BUCKET), "409");
  const shown = ok(await service.storage.getBucket(BUCKET));
  assert.deepEqual([shown.id, shown.public, shown.file_size_limit, shown.allowed_mime_types], [BUCKET, false, 1000, ["image/*"]]);
  assert.ok(ok(await service.storage.listBuckets()).some(({ id }) => id === BUCKET));
  ok(await service.storage.updateBucket(BUCKET, { public: true, fileSizeLimit: 1000, allowedMimeTypes: ["image/*"] }));
  assert.equal(ok(await service.storage.getBucket(BUCKET)).public, true);
  refused(await service.storage.getBucket("contract-nothing"), "404");
  ok(await files().upload("kept.png", Buffer.from("a"), { contentType: "image/png" }));
  refused(await service.storage.deleteBucket(BUCKET), "409");
  ok(await service.storage.updateBucket(BUCKET, { public: false, fileSizeLimit: 1000, allowedMimeTypes: ["image/*"] }));
});

test("a file is what was uploaded, as bytes and as a form", async () => {
  const content = Buffer.from([0, 13, 10, 13, 10, 255]);
  for (const [name, body] of [["a/b c.png", content], ["a/form.png", new Blob([content], { type: "image/png" })]]) {
    const uploaded = ok(await files().upload(name, body, { contentType: "image/png", cacheControl: "60" }));
    assert.equal(uploaded.path, name);
    assert.deepEqual(await bytes(name), content, name);
    const info = ok(await files().info(name));
    assert.deepEqual([info.size, info.contentType, info.cacheControl], [content.length, "image/png", "max-age=60"]);
    assert.equal(ok(await files().exists(name)), true);
  }
});

test("what is there is overwritten only if that is asked for, and then has another version", async () => {
  const png = { contentType: "image/png" };
  ok(await files().upload("over.png", Buffer.from("one"), png));
  const before = ok(await files().info("over.png")).version;
  refused(await files().upload("over.png", Buffer.from("two"), png), "409");
  ok(await files().upload("over.png", Buffer.from("two"), { ...png, upsert: true }));
  assert.equal(String(await bytes("over.png")), "two");
  ok(await files().update("over.png", Buffer.from("three"), png));
  assert.equal(String(await bytes("over.png")), "three");
  assert.notEqual(ok(await files().info("over.png")).version, before);
});

test("a folder is listed with its files and folders", async () => {
  for (const name of ["list/1.png", "list/2.png", "list/deep/3.png"]) {
    ok(await files().upload(name, Buffer.from(name), { contentType: "image/png" }));
  }
  const listed = ok(await files().list("list"));
  assert.deepEqual(listed.map(({ name, id }) => [name, id !== null]), [["1.png", true], ["2.png", true], ["deep", false]]);
  assert.equal(listed[0].metadata.size, "list/1.png".length);
  assert.deepEqual(ok(await files().list("list", { limit: 1, offset: 1 })).map(({ name }) => name), ["2.png"]);
  assert.deepEqual(ok(await files().list("list", { search: "de" })).map(({ name }) => name), ["deep"]);
});

test("what the bucket does not take is refused", async () => {
  refused(await files().upload("long.png", Buffer.alloc(1001), { contentType: "image/png" }), "413");
  refused(await files().upload("text.txt", Buffer.from("a"), { contentType: "text/plain" }), "415");
  refused(await files().upload("Château.png", Buffer.from("a"), { contentType: "image/png" }), "400");
  refused(await service.storage.from("contract-nothing").upload("a.png", Buffer.from("a"), { contentType: "image/png" }), "404");
});

test("files are removed, and those that are not there are no error", async () => {
  ok(await files().upload("gone.png", Buffer.from("a"), { contentType: "image/png" }));
  assert.deepEqual(ok(await files().remove(["gone.png", "never.png"])).map(({ name }) => name), ["gone.png"]);
  assert.ok((await files().download("gone.png")).error);
  assert.equal((await files().exists("gone.png")).data, false);
});

test("a stranger sees nothing and writes nothing, and every form of the secret key does", async () => {
  ok(await files().upload("secret.png", Buffer.from("a"), { contentType: "image/png" }));
  const theirs = stranger.storage.from(BUCKET);
  assert.ok((await theirs.download("secret.png")).error);
  refused(await theirs.upload("b.png", Buffer.from("a"), { contentType: "image/png" }), "403");
  assert.deepEqual(ok(await theirs.list()), []);
  for (const { name, role, key } of keys) {
    const { error } = await client(key).storage.from(BUCKET).download("secret.png");
    assert.equal(error === null, role === "service_role", name);
  }
});

test("a signed URL is read by anybody, for one file and for its time", async () => {
  ok(await files().upload("signed/a b.png", Buffer.from("seen"), { contentType: "image/png" }));
  const { signedUrl } = ok(await files().createSignedUrl("signed/a b.png", 60, { download: "mine.png" }));
  const answer = await fetch(signedUrl);
  assert.equal(await answer.text(), "seen");
  assert.match(answer.headers.get("content-disposition"), /mine\.png/);
  const another = await fetch(signedUrl.replace("a%20b", "other"));
  assert.equal(another.status, 400);
  refused(await files().createSignedUrl("signed/none.png", 60), "404");
});
