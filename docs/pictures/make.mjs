// Draws the pictures of the README from what a running bundle really sent and printed.
//
//   cargo dev -- --empty --no-crons --no-traffic        in one terminal
//   . .pourtrait/dev.env && node docs/pictures/make.mjs  in another
//
// It breaks the sample app, runs three ticks, and draws the Slack message and the operator's
// command as SVG, so that the pictures need no browser and read well at any size.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const root = join(folder, "..", "..");
const { BASE_URL, MONITORING_API_KEY } = process.env;
if (!BASE_URL || !MONITORING_API_KEY) {
  throw new Error("BASE_URL and MONITORING_API_KEY must be set: source .pourtrait/dev.env first");
}

const escape = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);

async function ask(path, options = {}) {
  const headers = { authorization: `Bearer ${MONITORING_API_KEY}`, "content-type": "application/json" };
  const answer = await fetch(BASE_URL + path, { headers, ...options });
  if (!answer.ok) {
    throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  }
  return answer.json();
}

const fault = (mode) =>
  ask("/_local/faults", { method: "POST", body: JSON.stringify({ service: "app", mode }) });

/** The message that Slack was sent about the app, after three ticks that found it down. */
async function slackMessage() {
  await fault("refuse");
  for (let ticks = 0; ticks < 3; ) {
    const tick = await ask("/api/cron/monitor");
    ticks += tick.outcome === "skipped" ? 0 : 1;
  }
  const inbox = await ask("/_local/inbox");
  const message = inbox.findLast(({ channel, raw }) => channel === "slack" && raw.blocks);
  if (!message) {
    throw new Error("Slack was sent nothing");
  }
  return message.raw.blocks;
}

/** Slack's markup as lines of tspans: bold, links and nothing else. */
function markup(text) {
  return text.split("\n").map((line) =>
    escape(line)
      .replace(/&lt;[^|]*?\|(.*?)&gt;/g, '<tspan class="link">$1</tspan>')
      .replace(/\*(.+?)\*/g, '<tspan class="bold">$1</tspan>'),
  );
}

function drawMessage(blocks) {
  const rows = [];
  let y = 62;
  const line = (x, text) => rows.push(`<text x="${x}" y="${y}">${text}</text>`);
  for (const block of blocks) {
    const fields = block.fields ?? [];
    for (let index = 0; index < fields.length; index += 2) {
      const pair = fields.slice(index, index + 2).map(({ text }) => markup(text));
      const height = Math.max(...pair.map((lines) => lines.length));
      for (let nth = 0; nth < height; nth += 1) {
        pair.forEach((lines, column) => lines[nth] && line(84 + 300 * column, lines[nth]));
        y += 20;
      }
      y += 8;
    }
    if (block.text) {
      for (const text of markup(block.text.text)) {
        line(84, text);
        y += 20;
      }
      y += 10;
    }
  }
  return svg(720, y + 8, "#ffffff", `
  <rect x="20" y="22" width="40" height="40" rx="8" fill="#7a1f3d"/>
  <text x="40" y="49" text-anchor="middle" class="bold" fill="#ffffff">P</text>
  <text x="72" y="38"><tspan class="bold">Pourtrait Ops</tspan></text>
  <rect x="72" y="48" width="4" height="${y - 58}" rx="2" fill="#c62828"/>
  ${rows.join("\n  ")}`, "system-ui, sans-serif", "#1d1c1d");
}

/** Runs the operator's command and draws it with what it printed. */
function drawTerminal(commands) {
  const lines = commands.flatMap((words) => {
    const output = execFileSync(join(root, "target/debug/pourtrait"), words, { encoding: "utf8", cwd: root });
    const printed = output.trimEnd().split("\n").map((text) => escape(text.slice(0, 110)));
    return [`<tspan class="prompt">$</tspan> <tspan class="bold">pourtrait ${words.join(" ")}</tspan>`, ...printed, ""];
  });
  const rows = lines.map((text, nth) => `<text x="20" y="${52 + 18 * nth}" xml:space="preserve">${text}</text>`);
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map(
    (colour, nth) => `<circle cx="${24 + 18 * nth}" cy="20" r="6" fill="${colour}"/>`,
  );
  return svg(940, 52 + 18 * lines.length, "#1e1e24", [...dots, ...rows].join("\n  "), "ui-monospace, monospace", "#e6e6e6");
}

function svg(width, height, background, body, font, colour) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${font}" font-size="14" fill="${colour}">
  <style>.bold { font-weight: 700 } .link { fill: #1264a3 } .prompt { fill: #7fd88f }</style>
  <rect width="${width}" height="${height}" rx="8" fill="${background}" stroke="#d0d0d0"/>
  ${body}
</svg>
`;
}

writeFileSync(join(folder, "slack.svg"), drawMessage(await slackMessage()));
writeFileSync(join(folder, "terminal.svg"), drawTerminal([["alerts", "list"], ["incidents", "show", "1"]]));
await fault("ok");
