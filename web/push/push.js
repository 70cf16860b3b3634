// Lets this browser be reached by push messages. A page that uses it is served with
// `trusted-types sw` in its policy, and `worker-src 'self'`.

const WORKER = "/sw.js";

/**
 * Below which address a browser subscribes. The dashboard and the status page each have a
 * subscription of their own, so that whoever ends one keeps the other.
 */
export const EVERYWHERE = "/";
export const STATUS_PAGE = "/status";

/** The one script that may become a worker here. */
const policy = globalThis.trustedTypes?.createPolicy("sw", {
  createScriptURL(address) {
    if (address !== WORKER) throw new TypeError(`only ${WORKER} may become a worker, got ${address}`);
    return address;
  },
});

/**
 * What stands between this browser and push messages: "none", "unsupported" (on an iPhone until
 * the page was added to the home screen), or "denied", which only the browser's own settings undo.
 */
export function obstacle() {
  if (!("PushManager" in globalThis) || !("Notification" in globalThis) || !navigator.serviceWorker) {
    return "unsupported";
  }
  return Notification.permission === "denied" ? "denied" : "none";
}

/** The worker below an address, once it runs. */
async function registered(scope) {
  const registration = await navigator.serviceWorker.register(policy ? policy.createScriptURL(WORKER) : WORKER, {
    scope,
    updateViaCache: "none",
  });
  const starting = registration.installing ?? registration.waiting;
  if (!registration.active) {
    await new Promise((runs) => starting.addEventListener("statechange", () => starting.state === "activated" && runs()));
  }
  return registration;
}

/** The push manager of an address, if its worker is there. */
async function known(scope) {
  const registration = await navigator.serviceWorker?.getRegistration(scope);
  const isItsOwn = registration && new URL(registration.scope).pathname === scope;
  return isItsOwn ? registration.pushManager : undefined;
}

function bytes(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function same(key, buffer) {
  const other = buffer && new Uint8Array(buffer);
  return other?.length === key.length && key.every((byte, nth) => byte === other[nth]);
}

/**
 * Subscribes this browser to messages of that key, which asks whoever sits there, so it has to
 * be called by a press. Returns the subscription: `{endpoint, expirationTime, keys: {p256dh, auth}}`.
 * One to another key is given up.
 */
export async function subscribe(publicKey, scope = EVERYWHERE) {
  const key = bytes(publicKey);
  const { pushManager } = await registered(scope);
  const former = await pushManager.getSubscription();
  if (former && !same(key, former.options.applicationServerKey)) await former.unsubscribe();
  const options = { userVisibleOnly: true, applicationServerKey: key };
  return (await pushManager.subscribe(options)).toJSON();
}

/** The subscription of this browser, or null; asks nobody. */
export async function current(scope = EVERYWHERE) {
  return (await (await known(scope))?.getSubscription())?.toJSON() ?? null;
}

/** Ends the subscription, and returns what it was, so that the bundle can be told; null without one. */
export async function unsubscribe(scope = EVERYWHERE) {
  const subscription = await (await known(scope))?.getSubscription();
  if (!subscription) return null;
  const ended = subscription.toJSON();
  await subscription.unsubscribe();
  return ended;
}
