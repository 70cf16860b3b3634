// The health function as it would be in Node with the libraries that everybody
// takes: one probe of the database, kept for five seconds, a log line per
// request, Sentry started. A plain server that tells the platform when it is up.

import http from 'node:http';
import net from 'node:net';

import * as Sentry from '@sentry/node';
import { createClient } from '@supabase/supabase-js';

const LIFE_MS = 5_000;
const { SENTRY_DSN, SUPABASE_URL, SUPABASE_SECRET_KEY, VERCEL_DEV_PORT, VERCEL_IPC_PATH } = process.env;

Sentry.init({ dsn: SENTRY_DSN, environment: 'production' });
const supabase = createClient(SUPABASE_URL, SUPABASE_SECRET_KEY, {
  auth: { persistSession: false },
  // Never used here; before Node 22 there is no WebSocket of its own.
  realtime: { transport: class {} },
});

let kept;

async function database() {
  if (kept && Date.now() - kept.at < LIFE_MS) return kept;
  const started = performance.now();
  const { error } = await supabase.rpc('ops_ping');
  if (error) Sentry.captureException(error);
  kept = { at: Date.now(), healthy: !error, responseTime: performance.now() - started };
  return kept;
}

const server = http.createServer(async (request, response) => {
  const started = performance.now();
  const { healthy, responseTime, at } = await database();
  const status = healthy ? 200 : 503;
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-store');
  response.statusCode = status;
  const { rss } = process.memoryUsage();
  const body = {
    status: healthy ? 'healthy' : 'unhealthy',
    timestamp: new Date(),
    responseTime: performance.now() - started,
    services: {
      database: { status: healthy ? 'healthy' : 'unhealthy', responseTime, critical: true, lastCheck: new Date(at) },
    },
    uptime: process.uptime(),
    memory: { rssBytes: rss },
  };
  response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
  console.log(JSON.stringify({ message: 'answered', method: request.method, status, duration_ms: performance.now() - started }));
});

server.listen(Number(VERCEL_DEV_PORT), '127.0.0.1', () => {
  const ipc = net.connect(VERCEL_IPC_PATH);
  const payload = { initDuration: 0, httpPort: Number(VERCEL_DEV_PORT) };
  ipc.write(`${JSON.stringify({ type: 'server-started', payload })}\0`);
});
