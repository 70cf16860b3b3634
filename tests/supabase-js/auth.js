// What signing in relies on when it talks to Supabase Auth: passwords, codes, sessions that
// are refreshed, signing out. Run against any project by `npm test`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addPerson, codeOf, page, removePerson } from "./project.js";

const email = "contract-anna@example.test";
const password = "correct-horse-7";

before(() => addPerson(email, password, "responder"));
after(() => removePerson(email));

function refused({ data, error }, status, code) {
  assert.equal(data.session ?? null, null);
  assert.deepEqual([error?.status, error?.code], [status, code], error?.message);
}

test("a password opens a session with the role of app_metadata", async () => {
  const auth = page();
  const { data, error } = await auth.signInWithPassword({ email: email.toUpperCase(), password });
  assert.equal(error, null);
  assert.equal(data.user.email, email);
  assert.equal(data.user.app_metadata.role, "responder");
  assert.equal(data.session.token_type, "bearer");
  const claims = JSON.parse(Buffer.from(data.session.access_token.split(".")[1], "base64url"));
  assert.equal(claims.app_metadata.role, "responder");
  assert.equal(claims.aud, "authenticated");
  assert.ok(claims.session_id);
  refused(await page().signInWithPassword({ email, password: "wrong" }), 400, "invalid_credentials");
  refused(await page().signInWithPassword({ email: "nobody@example.test", password }), 400, "invalid_credentials");
});

test("a code is sent to who is known, and opens a session once", async () => {
  const auth = page();
  const { error } = await auth.signInWithOtp({ email, options: { shouldCreateUser: false } });
  assert.equal(error, null);
  const nobody = { email: "nobody@example.test", options: { shouldCreateUser: false } };
  refused(await auth.signInWithOtp(nobody), 422, "otp_disabled");
  const token = codeOf(email);
  const wrong = token === "000000" ? "000001" : "000000";
  refused(await auth.verifyOtp({ email, token: wrong, type: "email" }), 403, "otp_expired");
  const { data, error: unexpected } = await auth.verifyOtp({ email, token, type: "email" });
  assert.equal(unexpected, null);
  assert.equal(data.user.email, email);
  refused(await page().verifyOtp({ email, token, type: "email" }), 403, "otp_expired");
});

test("a refresh token is good once, and a while longer for who lost the answer", async () => {
  const auth = page();
  const { data } = await auth.signInWithPassword({ email, password });
  const { refresh_token: first } = data.session;
  const next = await auth.refreshSession({ refresh_token: first });
  assert.equal(next.error, null);
  assert.notEqual(next.data.session.refresh_token, first);
  assert.equal(next.data.user.app_metadata.role, "responder");
  const again = await page().refreshSession({ refresh_token: first });
  assert.equal(again.error, null);
  assert.equal(again.data.session.refresh_token, next.data.session.refresh_token);
  refused(await page().refreshSession({ refresh_token: "nobodyhasit1" }), 400, "refresh_token_not_found");
});

test("signing out ends the session", async () => {
  const auth = page();
  const { data } = await auth.signInWithPassword({ email, password });
  const known = await auth.getUser();
  assert.equal(known.data.user.email, email);
  assert.equal((await auth.signOut({ scope: "local" })).error, null);
  refused(await page().refreshSession({ refresh_token: data.session.refresh_token }), 400, "refresh_token_not_found");
  const gone = await page().getUser(data.session.access_token);
  // So the client names a session_not_found.
  assert.deepEqual([gone.data.user, gone.error.name], [null, "AuthSessionMissingError"]);
});
