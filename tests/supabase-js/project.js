// The project under test: its clients, its tokens, and what the tests need in
// its database.

import { spawnSync } from "node:child_process";
import { createHash, createHmac, randomUUID } from "node:crypto";
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

// A page at which nobody is signed in yet.
export const page = () => client(publicKey).auth;

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

// Runs SQL and returns what it selects, as text.
function sql(statement, variables) {
  const given = Object.entries(variables).flatMap(([name, value]) => ["-v", `${name}=${value}`]);
  const arguments_ = [databaseUrl, "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", ...given];
  const { status, stdout, error } = spawnSync("psql", arguments_, {
    input: statement, stdio: ["pipe", "pipe", "inherit"], encoding: "utf8",
  });
  if (status !== 0) throw error ?? new Error(`psql ended with ${status}`);
  return stdout.trim();
}

// A confirmed user with a role, as the project's own dashboard makes one.
export function addPerson(email, password, role) {
  removePerson(email);
  sql(`with made as (
         insert into auth.users (
             instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data,
             raw_user_meta_data, created_at, updated_at, confirmation_token, recovery_token,
             email_change_token_new, email_change
         ) values (
             '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated', :'email',
             extensions.crypt(:'password', extensions.gen_salt('bf')), now(),
             jsonb_build_object('provider', 'email', 'providers', '["email"]'::jsonb, 'role', :'role'),
             '{"role": "admin"}', now(), now(), '', '', '', ''
         ) returning id, email
       )
       insert into auth.identities (provider_id, user_id, identity_data, provider, created_at, updated_at)
       select id::text, id, jsonb_build_object('sub', id, 'email', email), 'email', now(), now() from made;`,
    { email, password, role });
}

export function removePerson(email) {
  sql("delete from auth.users where email = :'email';", { email });
}

// The code that was mailed, found by its hash: wherever the mail went, it has six digits.
export function codeOf(email) {
  const hash = sql("select recovery_token from auth.users where email = :'email';", { email });
  for (let number = 0; number < 1_000_000; number += 1) {
    const code = String(number).padStart(6, "0");
    if (createHash("sha224").update(email + code).digest("hex") === hash) return code;
  }
  throw new Error("no code was mailed");
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
