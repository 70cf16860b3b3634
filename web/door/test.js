// The module against a running door, without a browser: Node's own fetch sends.
import assert from 'node:assert/strict';

const url = process.env.DOOR_URL;
const seen = {};
globalThis.sessionStorage = memory();
globalThis.localStorage = memory();
globalThis.location = { pathname: '/wines', href: 'https://wine.example/wines' };
globalThis.addEventListener = (kind, listener) => {
  seen[kind] = listener;
};

function memory() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

// What surrounds it is looked at as it is read.
const { open } = await import('./pourtrait.js');

// Nobody answers there: what is said waits for the next page.
const closed = open({ url: 'http://127.0.0.1:9/api/ingest?key=x' });
closed.event('before');
await closed.flush();
assert.match(localStorage.getItem('pourtrait-door'), /before/);

const door = open({ url, release: '1.4.2', consent: true });
door.identify('u1');
door.event('wine_added', { colour: 'red' });
door.pageView();
door.webVital({ id: 'v5-1', name: 'LCP', value: 1234.5, rating: 'good', navigationType: 'navigate' });
door.metric('wines_total', 1200);
door.feedback('The label is wrong');
door.error(new TypeError('no wine'));
seen.error({ error: new RangeError('nobody caught it') });
seen.unhandledrejection({ reason: 'a text' });
const circle = {};
circle.self = circle;
door.event('circle', circle);
door.event('large', { number: 1n });
await door.flush();
door.consent(false);
door.event('after_consent');
await door.flush();
assert.equal(sessionStorage.getItem('pourtrait-door'), null);
assert.equal(localStorage.getItem('pourtrait-door'), null);
