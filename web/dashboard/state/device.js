// Whether this browser is reached by push messages, for whoever is signed in.

import { signal } from "@preact/signals";
import { current, obstacle, subscribe, unsubscribe } from "../../push/push.js";
import { ask } from "./session.js";

/**
 * `unknown` until it was looked at, then `off`, `on`, `unsupported` or `denied`; with what went
 * wrong.
 * @type {import("@preact/signals").Signal<{state: string, says: string}>}
 */
export const device = signal({ state: "unknown", says: "" });

/** Looks how it is; asks nobody. */
export async function lookAtDevice() {
  const stands = obstacle();
  device.value = { state: stands === "none" ? ((await current()) ? "on" : "off") : stands, says: "" };
}

/** Has this browser reached, by the press of whoever sits there. */
export async function reachDevice(key) {
  let subscription;
  try {
    subscription = await subscribe(key);
  } catch (error) {
    await lookAtDevice();
    device.value = { ...device.value, says: `The browser did not allow it: ${error.message}` };
    return;
  }
  const answer = await ask({ method: "POST", body: { action: "push", subscription, device: named(navigator.userAgent) } });
  if (answer.status !== 200) await unsubscribe();
  device.value = answer.status === 200 ? { state: "on", says: "" } : { state: "off", says: await refusal(answer) };
}

/** Ends that. */
export async function leaveDevice() {
  const ended = await unsubscribe();
  if (ended) await ask({ method: "POST", body: { action: "endPush", endpoint: ended.endpoint } });
  device.value = { state: "off", says: "" };
}

/** What a list of devices calls this one. */
export function named(agent) {
  const systems = [["iPhone", /iPhone/], ["iPad", /iPad/], ["Android", /Android/], ["Windows", /Windows/], ["Mac", /Mac OS X/], ["Linux", /Linux/]];
  const browsers = [["Firefox", /Firefox\//], ["Edge", /Edg\//], ["Chrome", /Chrom(e|ium)\//], ["Safari", /Safari\//]];
  const first = (known) => known.find(([, pattern]) => pattern.test(agent))?.[0];
  return [first(browsers) ?? "a browser", first(systems)].filter(Boolean).join(" on ");
}

async function refusal(answer) {
  const problem = await answer.json().catch(() => ({}));
  return problem.detail ?? "That does not work right now.";
}
