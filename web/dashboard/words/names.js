// What things are called on the page, where the document has a key.

import { capital } from "./numbers.js";

const SERVICES = {
  app: "App",
  database: "Database",
  ai: "AI",
  imageProcessing: "Image processing",
  email: "Email",
  storage: "Storage",
};

const SIDES = {
  ours: "our own side",
  supabase: "Supabase",
  openai: "OpenAI",
  google: "Google",
  resend: "Resend",
  vercel: "Vercel",
};

const CHANNELS = { slack: "Slack", discord: "Discord", pagerduty: "PagerDuty", ntfy: "ntfy" };

/** `imageProcessing` is Image processing; what nobody named is split into its words. */
export function service(key) {
  return SERVICES[key] ?? capital(words(key));
}

/** `app_down` is app down. */
export function rule(key) {
  return words(key ?? "reported by a person").replace(/\bslo\b/, "objective");
}

/** Whose side an incident is on; null where that is not known. */
export function side(key) {
  return key === "unknown" ? null : SIDES[key] ?? key;
}

export function channel(key) {
  return CHANNELS[key] ?? capital(words(key ?? "no channel"));
}

/** An incident or an alert in a few words. */
export function matter({ title, rule: key, type, subject, message }) {
  if (title) return title;
  const about = message ?? (subject ? trimmed(subject) : null);
  return about ? `${capital(rule(key ?? type))}: ${about}` : capital(rule(key ?? type));
}

/** Where the runbook has an entry about a rule. */
export function runbook(key) {
  return key ? `/runbook.html#${key}` : "/runbook.html";
}

function words(key) {
  return key.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ").toLowerCase();
}

function trimmed(subject) {
  return subject.replace(/^https?:\/\//, "").replace(/\/$/, "");
}
