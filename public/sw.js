// The worker that shows push messages, served as /sw.js. Some browsers show them by themselves
// (declarative Web Push) and never start it; the payload is the same:
//
//   {"web_push": 8030, "notification": {"title", "body", "navigate", "tag", "actions", …}}

/** A page of ours: whatever a message names elsewhere is not opened. */
function page(address) {
  try {
    const url = new URL(address, self.location.origin);
    if (url.origin === self.location.origin) return url.href;
  } catch {
    // It names no page.
  }
  return new URL("/dashboard", self.location.origin).href;
}

/** The notification that a message asks for. Each message has to show one. */
function notification(text) {
  let said;
  try {
    said = JSON.parse(text).notification;
  } catch {
    // Something is wrong all the same, and the dashboard says what.
  }
  said = said && typeof said === "object" ? said : {};
  const actions = Array.isArray(said.actions) ? said.actions.filter((one) => one && one.action && one.title) : [];
  const options = {
    body: String(said.body ?? ""),
    lang: "en",
    dir: "auto",
    actions: actions.map(({ action, title }) => ({ action: String(action), title: String(title) })),
    requireInteraction: said.requireInteraction === true,
    data: {
      navigate: page(said.navigate),
      actions: Object.fromEntries(actions.map(({ action, navigate }) => [String(action), page(navigate)])),
    },
  };
  if (said.tag) {
    options.tag = String(said.tag);
    options.renotify = said.renotify === true;
  }
  return { title: String(said.title || "Pourtrait Ops has something to say"), options };
}

/** Brings the page to the front where it is open, else opens it. */
async function open(address) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((window) => window.url === address);
  if (there) return there.focus();
  return self.clients.openWindow(address);
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const { title, options } = notification(event.data ? event.data.text() : "");
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener("notificationclick", (event) => {
  const { navigate, actions } = event.notification.data ?? {};
  event.notification.close();
  event.waitUntil(open(page((event.action && actions?.[event.action]) || navigate)));
});
