// Why something is not as it should be, where a look gave a word. Pure.

const PHRASES = {
  timeout: "no answer in time",
  dns: "the name does not resolve",
  connect: "cannot connect",
  tls: "the TLS handshake failed",
  tls_expired: "the certificate has ended",
  reset: "the connection ended early",
  http_status: "answers with an error",
  redirect: "answers with a redirect",
  text: "the expected text is missing",
  auth: "the key was refused",
  quota: "over its quota",
  rubbish: "answers something that is not its API",
  not_migrated: "the database lacks the bundle's functions",
  config: "not configured",
  late: "no report in time",
};

/** A word that is not known is a phrase already. */
export function reason(word, statusCode = null) {
  if (statusCode != null && ["http_status", "redirect"].includes(word)) return `answered ${statusCode}`;
  return PHRASES[word] ?? word.replaceAll("_", " ");
}
