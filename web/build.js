// Builds the pages into ../public: `node build.js` writes, `node build.js --check` builds twice
// and compares with what lies there. Names carry a hash of the content, so that the network may
// keep them for a year.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const WEB = fileURLToPath(new URL(".", import.meta.url));

// All that a browser loads for the dashboard, gzipped.
const MOST_BYTES = 150_000;

// The style sheets and scripts that are bundled, by the name of the asset.
const SHEETS = {
  style: "style.css",
  dashboard: "dashboard/dashboard.css",
  status: "status/status.css",
  acknowledge: "acknowledge/acknowledge.css",
};
const SCRIPTS = { dashboard: "dashboard/main.jsx", status: "status/status.js", "your-data": "your-data/your-data.js" };
const IMAGES = ["state-fine.svg", "state-watch.svg", "state-bad.svg", "state-unknown.svg", "icon-192.png", "icon-512.png"];

// What is served under its own name, by where it lies here.
const UNHASHED = { "icons/favicon.svg": "favicon.svg", "icons/favicon.ico": "favicon.ico", "push/sw.js": "sw.js" };

// How a page or a source names an asset.
const NAMED = /\/assets\/([a-z-]+)\.[0-9a-f]{12}(\.css|\.js)/g;

const OPTIONS = {
  absWorkingDir: WEB,
  bundle: true,
  minify: true,
  write: false,
  logLevel: "warning",
  legalComments: "none",
  target: ["es2022", "safari16.4"],
};

/** The files that the sources come to: content by path below the repository. */
async function made() {
  const files = new Map();
  const names = {};
  const add = (name, content) => {
    const [stem, ending] = [name.slice(0, name.lastIndexOf(".")), name.slice(name.lastIndexOf("."))];
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
    names[name] = `/assets/${stem}.${hash}${ending}`;
    files.set(`public${names[name]}`, content);
  };
  for (const image of IMAGES) add(image, readFileSync(`${WEB}icons/${image}`));
  for (const [name, entry] of Object.entries(SHEETS)) {
    add(`${name}.css`, await bundled({ entryPoints: [entry] }));
  }
  const icons = Object.fromEntries(IMAGES.map((image) => [image, names[image]]));
  for (const [name, entry] of Object.entries(SCRIPTS)) {
    const script = {
      entryPoints: [entry],
      format: "esm",
      jsx: "automatic",
      jsxImportSource: "preact",
      define: { ICONS: JSON.stringify(icons) },
      banner: name === "dashboard" ? { js: licences() } : {},
    };
    add(`${name}.js`, await bundled(script));
  }
  const filled = (text) => text.replace(/\{\{(.+?)\}\}/g, (_, name) => names[name] ?? fail(`no asset ${name}`));
  files.set("public/dashboard.html", Buffer.from(filled(readFileSync(`${WEB}dashboard/page.html`, "utf8"))));
  files.set("public/your-data.html", Buffer.from(filled(readFileSync(`${WEB}your-data/page.html`, "utf8"))));
  files.set("public/manifest.webmanifest", Buffer.from(filled(readFileSync(`${WEB}manifest.json`, "utf8"))));
  for (const [source, name] of Object.entries(UNHASHED)) files.set(`public/${name}`, readFileSync(WEB + source));
  for (const path of naming()) {
    const text = readFileSync(ROOT + path, "utf8");
    const named = (_, stem, ending) => names[stem + ending] ?? fail(`no asset ${stem}${ending}`);
    files.set(path, Buffer.from(text.replace(NAMED, named)));
  }
  return files;
}

async function bundled(options) {
  const { outputFiles } = await build({ ...OPTIONS, ...options });
  return Buffer.from(outputFiles[0].contents);
}

/** What is bundled of others stands under the MIT licence, which wants to be named. */
function licences() {
  const packages = Object.keys(JSON.parse(readFileSync(`${WEB}package.json`, "utf8")).dependencies);
  const lines = packages.concat("@preact/signals-core").map((name) => {
    const text = readFileSync(`${WEB}node_modules/${name}/LICENSE`, "utf8");
    return `${name}: ${text.match(/Copyright.*/)[0]}`;
  });
  const terms = readFileSync(`${WEB}node_modules/uplot/LICENSE`, "utf8");
  return `/*! ${lines.join("\n")}\n\n${terms.slice(terms.indexOf("Permission"))}*/`.replaceAll("\r", "");
}

/** The sources that name assets, beside the pages that are made here or by `pourtrait docs`. */
function naming() {
  const sources = readdirSync(`${ROOT}lib/src`, { recursive: true }).filter((path) => path.endsWith(".rs")).map((path) => `lib/src/${path}`);
  return ["public/404.html", ...sources.sort()].filter((path) => readFileSync(ROOT + path, "utf8").search(NAMED) >= 0);
}

function fail(message) {
  throw new Error(message);
}

/** Assets of ours in public/ that are made no more. */
function stale(files) {
  return readdirSync(`${ROOT}public/assets`)
    .map((name) => `public/assets/${name}`)
    .filter((path) => !files.has(path));
}

function weight(files) {
  const loaded = [...files].filter(([path]) => /^public\/(dashboard\.html|assets\/dashboard\.)/.test(path));
  const bytes = loaded.map(([path, content]) => [path, gzipSync(content, { level: 9 }).length]);
  const total = bytes.reduce((sum, [, size]) => sum + size, 0);
  for (const [path, size] of bytes) console.log(`${(size / 1000).toFixed(1).padStart(7)} kB  ${path}`);
  console.log(`${(total / 1000).toFixed(1).padStart(7)} kB  in all, gzipped`);
  if (total > MOST_BYTES) fail(`more than ${MOST_BYTES} bytes`);
}

const files = await made();
if (process.argv.includes("--check")) {
  const again = await made();
  const wrong = [...files]
    .filter(([path, content]) => !again.get(path)?.equals(content) && fail(`${path} differs from build to build`))
    .map(([path]) => path);
  for (const [path, content] of files) {
    if (!existsSync(ROOT + path) || !readFileSync(ROOT + path).equals(content)) wrong.push(path);
  }
  wrong.push(...stale(files));
  if (wrong.length > 0) {
    console.error(`not what the sources come to:\n  ${wrong.join("\n  ")}\nrun \`npm run build\` in web/, then \`pourtrait docs\``);
    process.exit(1);
  }
} else {
  for (const [path, content] of files) writeFileSync(ROOT + path, content);
  for (const path of stale(files)) unlinkSync(ROOT + path);
}
weight(files);
