// What a page tells the door of Pourtrait Ops: errors, page views, events, Web Vitals. No
// dependencies; copy it into the app. Nothing is sent before `open`, nothing personal without
// consent, and nothing at all is thrown into the page.

const LATER = 'pourtrait-door';
const MOST = 50;

export function open({ url, release, environment, consent = false, every = 2000 }) {
  let queue = [];
  let timer;
  let pause = 0;
  let user;
  let allowed = consent;
  const browser = globalThis.navigator ?? {};
  const quiet = () => browser.doNotTrack === '1' || browser.globalPrivacyControl === true;
  const store = (of) => {
    try {
      return globalThis[of];
    } catch {
      return undefined;
    }
  };

  const session = () => {
    if (!allowed || quiet()) return undefined;
    const kept = store('sessionStorage');
    const id = kept?.getItem(LATER) ?? crypto.randomUUID();
    kept?.setItem(LATER, id);
    return id;
  };

  const written = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));

  const body = (items) => {
    const shared = written({
      sentAt: new Date().toISOString(), release, environment,
      user: allowed && !quiet() ? user : undefined, session: session(),
    });
    return `${shared.slice(0, -1)},"items":[${items}]}`;
  };

  // What could not be sent waits for the next page.
  const keep = (items) => {
    const kept = store('localStorage');
    const text = JSON.stringify([...JSON.parse(kept?.getItem(LATER) ?? '[]'), ...items].slice(-MOST));
    if (text.length < 60000) kept?.setItem(LATER, text);
  };

  const guarded = (work) => (...given) => {
    try {
      return work(...given);
    } catch {
      return undefined;
    }
  };

  const flush = guarded(async (leaving) => {
    clearTimeout(timer);
    timer = undefined;
    const items = queue.splice(0, MOST);
    if (!items.length) return;
    if (Date.now() < pause) return void keep(items);
    if (leaving && browser.sendBeacon?.(url, body(items))) return;
    try {
      const answer = await fetch(url, { method: 'POST', body: body(items), keepalive: true });
      if (answer.status === 429 || answer.status >= 500) {
        pause = Date.now() + 1000 * (Number(answer.headers.get('retry-after')) || 60);
        keep(items);
      }
    } catch {
      keep(items);
    }
    if (queue.length) await flush();
  });

  // Each is written by itself: one that cannot be takes no other along.
  const add = guarded((item) => {
    queue.push(written({ id: crypto.randomUUID(), time: new Date().toISOString(), ...item }));
    if (queue.length >= MOST) void flush();
    timer ??= setTimeout(flush, every);
  });

  const error = guarded((thrown, properties = {}) => add({
    type: 'error', name: thrown?.name ?? 'Error', message: String(thrown?.message ?? thrown),
    stack: thrown?.stack, handled: true, ...properties,
  }));

  const waiting = guarded(() => JSON.parse(store('localStorage')?.getItem(LATER) ?? '[]'))() ?? [];
  store('localStorage')?.removeItem(LATER);
  queue.push(...waiting);
  if (waiting.length) timer = setTimeout(flush, every);
  globalThis.addEventListener?.('error', (event) => error(event.error ?? event.message, { handled: false }));
  globalThis.addEventListener?.('unhandledrejection', (event) => error(event.reason, { handled: false }));
  globalThis.document?.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') void flush(true);
  });

  return {
    error,
    flush,
    event: (name, properties) => add({ type: 'event', name, properties }),
    pageView: (path = location.pathname, properties) => add({ type: 'page_view', name: path, properties }),
    webVital: ({ name, value, id, rating, navigationType }, path = location.pathname) => add({
      type: 'web_vital', name, value, properties: { path, metric: id, rating, navigationType },
    }),
    metric: (name, value, properties) => add({ type: 'metric', name, value, properties }),
    feedback: (message, properties) => add({ type: 'feedback', message, properties }),
    identify: (id) => {
      user = id;
    },
    consent: (given) => {
      allowed = given;
      if (!given) store('sessionStorage')?.removeItem(LATER);
    },
  };
}
