// The project under test: its clients, its tokens, and what the tests need in
// its database.

import { spawnSync } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createClient } from "@supabase/supabase-js";

function variable(...names) {
  const name = names.find((name) => process.env[name]);
  if (!name) {
    console.error(`one of these variables is needed: ${names.join(", ")}`);
    process.exit(2);
  }
  return process.env[name];
}

const url = variable("SUPABASE_URL", "NEXT_PUBLIC_SUPABASE_URL");
const databaseUrl = variable("DATABASE_URL");
const jwtSecret = variable("SUPABASE_JWT_SECRET");

const publicKey = variable("SUPABASE_PUBLISHABLE_KEY", "NEXT_PUBLIC_SUPABASE_ANON_KEY");
const secretKey = variable("SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY");

// Every form of key that is set, with the role that it stands for.
export const keys = [
  ["SUPABASE_PUBLISHABLE_KEY", "anon"],
  ["NEXT_PUBLIC_SUPABASE_ANON_KEY", "anon"],
  ["SUPABASE_SECRET_KEY", "service_role"],
  ["SUPABASE_SERVICE_ROLE_KEY", "service_role"],
]
  .map(([name, role]) => ({ name, role, key: process.env[name] }))
  .filter(({ key }) => key);

export function client(key, options = {}) {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    // Nothing here listens; before Node.js 22 there is no WebSocket of its own.
    realtime: { transport: class {} },
    ...options,
  });
}

export const service = client(secretKey);
export const stranger = client(publicKey);

function base64url(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

// An access token as Supabase Auth issues it with the shared secret.
function token(subject, seconds) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: `${url}/auth/v1`,
    sub: subject,
    aud: "authenticated",
    role: "authenticated",
    iat: now - 60,
    exp: now + seconds,
  };
  const signed = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url(claims)}`;
  return `${signed}.${createHmac("sha256", jwtSecret).update(signed).digest("base64url")}`;
}

// A signed-in user: an id, and a client with a token of that many seconds.
export function user(seconds = 600) {
  const id = randomUUID();
  const bearer = token(id, seconds);
  const options = { global: { headers: { Authorization: `Bearer ${bearer}` } } };
  return { id, client: client(publicKey, options) };
}

function run(file) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const arguments_ = [databaseUrl, "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", `--file=${path}`];
  const { status, error } = spawnSync("psql", arguments_, { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw error ?? new Error(`psql ${file} ended with ${status}`);
}

// Makes the tables and functions, and waits until the API knows them.
export async function setUp() {
  run("schema.sql");
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { error } = await service.rpc("contract_who");
    if (!error) return;
    if (Date.now() > deadline) throw new Error(`the API does not know the functions: ${error.message}`);
  }
}

export function tearDown() {
  run("drop.sql");
}
