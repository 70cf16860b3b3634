// One request of an app, as @vercel/otel traces it: what the app answered, what it asked of
// another service, what it did within itself, and what was thrown on the way.

import { DiagLogLevel, SpanKind, SpanStatusCode, diag, trace } from "@opentelemetry/api";
import { registerOTel } from "@vercel/otel";

// An answer that the client cannot use is told here and nowhere else; that it does not run on
// Vercel's platform is told too.
const tell = (...words) => {
  if (words[0] === "@vercel/otel: no telemetry context found") return;
  console.error(...words);
  process.exitCode = 1;
};
const nothing = () => {};
diag.setLogger({ error: tell, warn: tell, info: nothing, debug: nothing, verbose: nothing }, DiagLogLevel.WARN);

registerOTel({ serviceName: "wine" });
const tracer = trace.getTracer("wine");
const answered = { "http.method": "GET", "http.route": "/wines/[id]", "http.status_code": 500 };
const asked = { "http.url": "https://api.example/v1/wines?q=x", "http.status_code": 200 };
tracer.startActiveSpan("GET /wines/[id]", { kind: SpanKind.SERVER, attributes: answered }, (request) => {
  tracer.startSpan("render").end();
  tracer.startSpan("fetch", { kind: SpanKind.CLIENT, attributes: asked }).end();
  request.recordException(new TypeError("no wine"));
  request.setStatus({ code: SpanStatusCode.ERROR });
  request.end();
});
await trace.getTracerProvider().getDelegate().forceFlush();
