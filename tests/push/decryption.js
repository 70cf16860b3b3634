// What the bundle sends to a browser is read by an independent library with the keys of that
// browser, and is proven by the key to which it subscribed. Run by `npm test` against a bundle
// on this machine.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createECDH, createPublicKey, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import ece from "http_ece";

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

let service;
let received = [];
let status = 201;

before(async () => {
  const server = createServer(async (request, response) => {
    const pieces = await request.toArray();
    received.push({ path: request.url, headers: request.headers, body: Buffer.concat(pieces) });
    response.writeHead(status).end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  service = { server, origin: `http://127.0.0.1:${server.address().port}` };
});
after(() => service.server.close());

// A browser: its keys, and its subscription.
function browser(name) {
  const keys = createECDH("prime256v1");
  keys.generateKeys();
  const auth = randomBytes(16);
  const subscription = {
    endpoint: `${service.origin}/wpush/${name}`,
    expirationTime: null,
    keys: { p256dh: base64url(keys.getPublicKey()), auth: base64url(auth) },
  };
  const read = (body) =>
    JSON.parse(ece.decrypt(body, { version: "aes128gcm", privateKey: keys, authSecret: auth }).toString());
  return { subscription, read };
}

let vapid;

// The operator's command, as this deployment's variables have it.
async function pourtrait(words, input = "") {
  const env = { ...process.env, PUSH_SERVICE_URL: service.origin, ...(vapid && { VAPID_PRIVATE_KEY: vapid.VAPID_PRIVATE_KEY }) };
  const child = spawn(process.env.POURTRAIT, [...words, "--json"], { env });
  child.stdin.end(input);
  const [stdout, stderr, [status]] = await Promise.all([
    child.stdout.setEncoding("utf8").toArray(), child.stderr.setEncoding("utf8").toArray(), once(child, "close"),
  ]);
  // A test that could not be sent says so by its status.
  assert.ok(status === 0 || (status === 1 && words[1] === "test"), `${words.join(" ")}: ${status} ${stderr.join("")}`);
  return JSON.parse(stdout.join(""));
}

// Claims of a token that this key signed.
function proven(header, origin) {
  const [, token, key] = /^vapid t=([^,]+), k=([A-Za-z0-9_-]+)$/.exec(header);
  assert.equal(key, vapid.publicKey);
  const point = Buffer.from(key, "base64url");
  const jwk = { kty: "EC", crv: "P-256", x: base64url(point.subarray(1, 33)), y: base64url(point.subarray(33)) };
  const [head, claims, signature] = token.split(".");
  assert.ok(
    verify(
      "sha256",
      Buffer.from(`${head}.${claims}`),
      { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    ),
    "the signature",
  );
  assert.deepEqual(JSON.parse(Buffer.from(head, "base64url")), { typ: "JWT", alg: "ES256" });
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, "base64url"));
  assert.equal(aud, origin);
  const left = exp - Date.now() / 1000;
  assert.ok(left > 0 && left <= 86_400, `${left} s`);
  assert.match(sub, /^(mailto:|https:\/\/)/);
}

test("each device of a contact gets what it alone can read, and one that is gone is left behind", async () => {
  vapid = await pourtrait(["contacts", "keygen"]);
  await pourtrait(["contacts", "add", "Anna", "--role", "on_call_primary", "--email", "anna@wine.example"]);
  const [phone, laptop] = ["phone", "laptop"].map(browser);
  for (const [name, { subscription }] of Object.entries({ Phone: phone, Laptop: laptop })) {
    await pourtrait(["contacts", "devices", "Anna", "--add", "-", "--as", name], JSON.stringify(subscription));
  }
  await pourtrait(["contacts", "test", "Anna"]);

  const of = (path) => received.filter((push) => push.path === `/wpush/${path}`);
  for (const [path, own, other] of [["phone", phone, laptop], ["laptop", laptop, phone]]) {
    const pushes = of(path);
    assert.equal(pushes.length, 2, "one since it was added, and the test");
    for (const { headers, body } of pushes) {
      proven(headers.authorization, service.origin);
      assert.equal(headers["content-encoding"], "aes128gcm");
      assert.match(headers.ttl, /^\d+$/);
      assert.ok(body.length <= 4_096);
      const said = own.read(body);
      assert.equal(said.web_push, 8030);
      assert.match(said.notification.title, /Anna/);
      assert.match(said.notification.navigate, /^(http|\/)/);
      assert.throws(() => other.read(body), "nobody else reads it");
    }
  }

  const devices = async () => (await pourtrait(["contacts", "devices", "Anna"])).devices;
  assert.deepEqual((await devices()).map(({ name, provenAt }) => [name, provenAt !== null]), [["Phone", true], ["Laptop", true]]);
  received = [];
  status = 410;
  await pourtrait(["contacts", "test", "Anna"]);
  assert.equal(received.length, 2, "each is told once, and never again");
  assert.deepEqual(await devices(), []);
});
