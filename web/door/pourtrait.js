// What a page tells the door of Pourtrait Ops. Nothing is sent before `open`, nothing personal
// without consent, and nothing is thrown into the page.

const LATER = 'pourtrait-door';
const MOST = 50;
// Of a page that is left 64 KiB are sent, and a letter may take three bytes.
const LENGTH = 20000;

const attempt = (work) => {
  try {
    return work();
  } catch {}
};
const guarded = (work) => (...given) => attempt(() => work(...given));
const written = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));
const { document = {}, location = {}, navigator = {} } = globalThis;

export function open({ url, release, environment, consent = false, every = 2000 }) {
  const queue = [];
  const told = new WeakSet();
  const routes = {};
  const landed = location.href;
  let pause = 0;
  let sending;
  let timer;
  let user;
  let visit;

  const route = (path = location.pathname) => routes[path] ?? path;

  const who = () => {
    if (!consent || navigator.doNotTrack === '1' || navigator.globalPrivacyControl) return {};
    visit ??= attempt(() => sessionStorage.getItem(LATER)) ?? crypto.randomUUID?.();
    attempt(() => sessionStorage.setItem(LATER, visit));
    return { user, session: visit };
  };

  const take = () => attempt(() => {
    const kept = JSON.parse(localStorage.getItem(LATER) ?? '[]');
    localStorage.removeItem(LATER);
    return kept.filter((item) => attempt(() => JSON.parse(item).type));
  }) ?? [];

  // It becomes nobody's: somebody else may be here then.
  const keep = (items) => attempt(() => {
    items = items.map((item) => written({ ...JSON.parse(item), user: '', session: '' }));
    const kept = [...take(), ...items].slice(-MOST);
    while (written(kept).length > 3 * LENGTH) kept.shift();
    localStorage.setItem(LATER, written(kept));
  });

  const post = async (body) => {
    let wait;
    try {
      const answer = await fetch(url, { method: 'POST', body, keepalive: body.length < 1.05 * LENGTH });
      wait = Number(answer.headers.get('retry-after'));
      // Until it is read, it counts as under way.
      await answer.text();
      if (answer.status < 429) return true;
    } catch {}
    pause = Date.now() + 1000 * (wait || 60);
  };

  const send = async (leaving) => {
    clearTimeout(timer);
    // Nobody sees it yet.
    timer = document.prerendering && setTimeout(flush, every);
    if (timer) return;
    const silent = () => Date.now() < pause || navigator.onLine === false;
    if (!silent()) queue.unshift(...take());
    while (queue.length) {
      let length = 0;
      const end = queue.findIndex((item, nth) => nth === MOST || (length += item.length) > LENGTH);
      const items = queue.splice(0, end < 0 ? MOST : end || 1);
      const shared = written({ sentAt: new Date(), release, environment, ...who() });
      const body = `${shared.slice(0, -1)},"items":[${items}]}`;
      const sent = !silent() && (leaving ? attempt(() => navigator.sendBeacon(url, body)) : await post(body));
      if (!sent) keep(items);
    }
  };

  const flush = () => sending ??= send().finally(() => sending = undefined);

  // One that cannot be written takes none along.
  const add = guarded((item) => {
    if (!url) return;
    queue.push(written({ id: crypto.randomUUID?.(), time: new Date(), ...item }));
    if (document.hidden) send(true);
    else timer ||= setTimeout(flush, every);
  });

  const error = guarded((thrown, properties) => {
    if (told.has(thrown)) return;
    attempt(() => told.add(thrown));
    add({
      type: 'error', name: thrown?.name ?? 'Error', message: String(thrown?.message ?? thrown), stack: thrown?.stack,
      handled: true, properties: { transaction: route(), digest: thrown?.digest }, ...properties,
    });
  });

  attempt(() => {
    addEventListener('error', (event) => error(event.error ?? event.message, { handled: false }));
    addEventListener('unhandledrejection', (event) => error(event.reason, { handled: false }));
    addEventListener('pagehide', () => send(true));
    addEventListener('visibilitychange', () => document.hidden && send(true));
    timer = setTimeout(flush, every);
  });

  return {
    error,
    flush,
    event: (name, properties) => add({ type: 'event', name, properties }),
    pageView: guarded((path = location.pathname, properties) => {
      routes[location.pathname] = path;
      add({ type: 'page_view', name: path, properties });
    }),
    webVital: guarded(({ name, value, id: metric, rating, navigationType, navigationURL }, path) => {
      path = route(path ?? new URL(navigationURL ?? landed).pathname);
      add({ type: 'web_vital', name, value, properties: { path, metric, rating, navigationType } });
    }),
    metric: (name, value, properties) => add({ type: 'metric', name, value, properties }),
    feedback: guarded((message, { contact, about, ...properties } = {}) => add({
      type: 'feedback', message, contact, about, properties,
    })),
    identify: (id) => {
      user = id;
    },
    consent: (given) => {
      consent = given;
      if (given) return;
      visit = undefined;
      attempt(() => sessionStorage.removeItem(LATER));
    },
  };
}
