// An app's pages on an origin of their own, and browsers to look at them.

import { execFileSync, spawn } from "node:child_process";
import { createHash, createPublicKey } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as requestOf } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after } from "node:test";
import { buildSync } from "esbuild";
import { chromium } from "playwright-core";

// What people use: a browser without a window says that it is none.
const USER_AGENT = "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36";

// What is closed at the end.
const opened = [];
after(() => Promise.all(opened.map((each) => each.close())));

// A script of the app, built as apps are built.
export function script(entry, options = {}) {
  const { outputFiles } = buildSync({
    absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
    entryPoints: [`pages/${entry}`],
    bundle: true,
    minify: true,
    write: false,
    logLevel: "error",
    ...options,
  });
  return { headers: { "content-type": "text/javascript" }, text: outputFiles[0].text };
}

// A page with that body and those headers.
export function page(body, headers = {}) {
  const text = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Wine</title><h1>Cellar</h1>${body}</html>`;
  return { headers: { "content-type": "text/html; charset=utf-8", ...headers }, text };
}

// Serves what is found by its path, whatever its query, and returns the origin. Of a path that
// is null the connection is broken off.
export function serve(files, certificate) {
  return listen(certificate, (request, response) => {
    const file = files[request.url.split("?")[0]];
    if (file === null) return request.socket.destroy();
    response.writeHead(file ? 200 : 404, file?.headers).end(file?.text);
  });
}

// An address with encryption for what has none, as platforms have them.
export function encrypt(target, certificate) {
  return listen(certificate, (request, response) => {
    const { method, url, headers } = request;
    const onward = requestOf(new URL(url, target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
}

async function listen(certificate, answer) {
  const server = certificate ? createSecureServer(certificate, answer) : createServer(answer);
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  opened.push(server);
  return `${certificate ? "https" : "http"}://localhost:${server.address().port}`;
}

// A certificate for this machine, and the flag by which a browser takes it as proven.
export function certify() {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
  const certificate = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
  execFileSync("openssl", [...certificate.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });
  const made = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  const spki = createPublicKey(made.cert).export({ type: "spki", format: "der" });
  const hash = createHash("sha256").update(spki).digest("base64");
  return { certificate: made, flag: `--ignore-certificate-errors-spki-list=${hash}` };
}

// Starts a browser, in which each visitor has a profile of their own.
export async function browse(...flags) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: [USER_AGENT, ...flags] });
  opened.push(browser);
  return browser;
}

// Opens an address in a browser that nobody looks into, until the test is over.
export function browseUnwatched(address, context) {
  const profile = mkdtempSync(join(tmpdir(), "unwatched-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-component-update", "--disable-sync"];
  const browser = spawn(process.env.CHROMIUM, [...flags, USER_AGENT, `--user-data-dir=${profile}`, address], {
    stdio: "ignore",
  });
  context.after(async () => {
    const ended = once(browser, "exit");
    browser.kill();
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
}

// Somebody who was never here.
export function visitor(browser, options = {}) {
  return browser.newContext(options);
}

// Somebody with settings of the browser of their own, in a profile that ends with the test.
export async function settled(preferences) {
  const profile = await mkdtemp(join(tmpdir(), "visitor-"));
  await mkdir(join(profile, "Default"));
  await writeFile(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM,
    args: [USER_AGENT],
  });
  opened.push({ close: () => context.close().then(() => rm(profile, { recursive: true })) });
  return context;
}

// A tab, and what the browser complained of in it.
export async function tab(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  return { opened: page, complaints };
}

// Once what was done can be seen, and the browser has measured it.
export function painted(page) {
  return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))));
}
