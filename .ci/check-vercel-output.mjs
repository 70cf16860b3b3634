// Checks what `vercel build` made of a configuration: what is published, what
// runs when and with which limits, and that each function answers the platform.
// Usage: node check-vercel-output.mjs vercel.json target/vercel-output [optimised]

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const LARGEST_FUNCTION = 12_000_000;
// Brings compression, encryption and a bucket's client along.
const LARGER_FUNCTIONS = { 'api/cron/backup': 20_000_000 };

const [configuration, output, optimised] = process.argv.slice(2);
const wanted = JSON.parse(readFileSync(configuration, 'utf8'));
const built = JSON.parse(readFileSync(join(output, 'config.json'), 'utf8'));

const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();

// Only what lies in public/ is published, all of it, unchanged.
const published = files(join(output, 'static'));
assert.deepEqual(published, files('public'));
for (const file of published) {
  const same = readFileSync(join(output, 'static', file)).equals(readFileSync(join('public', file)));
  assert.ok(same, `${file} was changed by the build`);
}

// Each file in api/ is one function, with the limits of the first pattern.
const functions = files(join(output, 'functions'))
  .filter((file) => file.endsWith('.func/.vc-config.json'))
  .map((file) => file.replace('.func/.vc-config.json', ''));
assert.deepEqual(functions, files('api').map((file) => `api/${file.replace(/\.rs$/, '')}`));
const matches = (pattern, file) =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`).test(file);
for (const name of functions) {
  const made = JSON.parse(readFileSync(join(output, 'functions', `${name}.func/.vc-config.json`), 'utf8'));
  const [, limits] = Object.entries(wanted.functions).find(([pattern]) => matches(pattern, `${name}.rs`));
  assert.equal(made.runtime, 'executable', name);
  assert.equal(made.memory, limits.memory, name);
  assert.equal(made.maxDuration, limits.maxDuration, name);
}

// Crons as they were written, for functions that exist.
assert.equal(built.version, 3);
assert.deepEqual(built.crons, wanted.crons);
for (const { path } of built.crons) {
  assert.ok(functions.includes(path.slice(1)), `nothing is at ${path}`);
}

// Header rules have become the first routes, in their order, each of which goes on to the
// others; and no other route adds a header.
const rules = built.routes.filter((route) => route.headers);
assert.deepEqual(rules, built.routes.slice(0, rules.length), 'headers are added before anything is served');
assert.deepEqual(
  rules.map(({ headers }) => headers),
  wanted.headers.map(({ headers }) => Object.fromEntries(headers.map(({ key, value }) => [key, value]))),
);
for (const [nth, { source }] of wanted.headers.entries()) {
  const { src, continue: goesOn } = rules[nth];
  assert.ok(goesOn && new RegExp(src).test(example(source)), `no route adds the headers of ${source}`);
}
// Rewrites have become routes behind the files, in their order; what else the builder routes it
// makes of the names of files.
const behindFiles = built.routes.findIndex((route) => route.handle === 'filesystem');
const rewrites = built.routes.slice(behindFiles).filter(({ check, dest }) => check && !dest.includes('$'));
assert.deepEqual(
  rewrites.map(({ dest }) => dest),
  wanted.rewrites.map(({ destination }) => destination),
);
for (const [nth, { source }] of wanted.rewrites.entries()) {
  const path = example(source);
  assert.ok(new RegExp(rewrites[nth].src).test(path), `no route leads from ${path} to ${rewrites[nth].dest}`);
}

for (const name of functions) {
  const folder = join(output, 'functions', `${name}.func`);
  // The builder puts a proxy in front of what it takes for a server.
  assert.ok(!existsSync(join(folder, 'user-server')), `${name} is behind a proxy`);
  const executable = join(folder, 'executable');
  const { size } = statSync(executable);
  if (optimised) {
    assert.ok(size <= (LARGER_FUNCTIONS[name] ?? LARGEST_FUNCTION), `${name} has ${size} bytes`);
  }
  await answers(name, executable);
  console.log(`  ${name}: ${(size / 1e6).toFixed(2)} MB, answers`);
}
console.log(
  `${configuration}: ${functions.length} functions, ${built.crons.length} crons, ` +
    `${wanted.headers.length} header rules, ${wanted.rewrites.length} rewrites, ${published.length} static files, ` +
    'as they should be',
);

// A path that a pattern means, by the few kinds of groups that are in use.
function example(source) {
  const path = source
    .replace(/\(\\d\+\)/g, '7')
    .replace(/\(\[\^\/\]\+\)/g, 'x')
    .replace(/\(\.\*\)/g, 'x/y')
    .replace(/\(([a-z]+)(\|[a-z]+)+\)/g, '$1');
  assert.match(path, /^[a-z0-9/.-]+$/, `${source} has a group of another kind`);
  return path;
}

// Starts a function without any configuration and plays the platform: it says
// that it has started, answers 503 or as the door does, says that the request has ended, and ends.
async function answers(name, executable) {
  const folder = mkdtempSync(join(tmpdir(), 'vercel-'));
  const socket = join(folder, 'ipc.sock');
  const port = await freePort();
  const messages = [];
  const server = net.createServer((connection) => {
    let text = '';
    connection.on('data', (data) => {
      text += data;
      const complete = text.split('\0');
      text = complete.pop();
      messages.push(...complete.map((message) => JSON.parse(message)));
      server.emit('message');
    });
  });
  server.listen(socket);
  const message = async (index) => {
    while (messages.length <= index) {
      await once(server, 'message', { signal: AbortSignal.timeout(10_000) });
    }
    return messages[index];
  };
  const child = spawn(executable, {
    env: { VERCEL_IPC_PATH: socket, VERCEL_DEV_PORT: String(port) },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  try {
    assert.equal((await message(0)).type, 'server-started', name);
    const status = await ask(port, `/${name}`);
    // The door tells whoever asks by GET whose it is, and the status page that nothing is known.
    const open = ['api/ingest', 'api/status'].includes(name);
    assert.equal(status, open ? 200 : 503, `${name} without configuration`);
    const end = await message(1);
    assert.equal(end.type, 'end', name);
    assert.deepEqual(end.payload.context, { invocationId: 'check', requestId: 1 }, name);
  } finally {
    child.kill('SIGTERM');
    const [code] = await ended;
    server.close();
    rmSync(folder, { recursive: true });
    assert.equal(code, 0, `${name} ends when it is told to`);
  }
}

async function ask(port, path) {
  const headers = { 'x-vercel-internal-invocation-id': 'check', 'x-vercel-internal-request-id': '1' };
  const request = http.get({ host: '127.0.0.1', port, path, headers, agent: false });
  const [response] = await once(request, 'response', { signal: AbortSignal.timeout(10_000) });
  response.resume();
  return response.statusCode;
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
