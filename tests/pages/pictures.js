// Pictures of the pages at three widths in both themes, with colours that the system forces and
// on paper, of a local stack in which something is wrong: `node pictures.js FOLDER`, then choose
// the best ones for docs/pictures.

import { mkdirSync } from "node:fs";
import { BASE, close, drawAll, fault, forceColours, signIn, tab, tick } from "./browser.js";

const WIDTHS = { phone: [390, 844], laptop: [1280, 800], wall: [1920, 1080] };
const [folder = "pictures"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

async function take(name, { where = "?range=7d", at = null } = {}) {
  for (const scheme of ["light", "dark"]) {
    for (const [size, [width, height]] of Object.entries(WIDTHS)) {
      const opened = await tab({ width, height, scheme });
      await signIn(opened.page, size === "wall" ? `${where}&wall` : where);
      await drawAll(opened.page);
      await opened.page.waitForNetworkIdle({ idleTime: 300 });
      if (at) await opened.page.evaluate((panel) => document.getElementById(panel).scrollIntoView(), at);
      await opened.page.screenshot({ path: `${folder}/${name}-${size}-${scheme}.png` });
      await opened.close();
    }
  }
}

/** The status page as strangers see it, and both pages where somebody's system or paper decides. */
async function takeStatus(name) {
  for (const scheme of ["light", "dark"]) {
    for (const [size, [width, height]] of Object.entries(WIDTHS)) {
      const opened = await tab({ width, height, scheme });
      await opened.page.goto(`${BASE}/status`);
      await opened.page.waitForSelector("time[title]");
      await opened.page.screenshot({ path: `${folder}/${name}-${size}-${scheme}.png`, fullPage: true });
      await opened.close();
    }
  }
}

async function takeElsewhere(name, open) {
  for (const [medium, emulate] of [
    ["forced", forceColours],
    ["print", (page) => page.emulateMediaType("print")],
  ]) {
    const opened = await tab({ width: 1280, height: 1600, scheme: "dark" });
    await open(opened.page);
    await emulate(opened.page);
    await opened.page.screenshot({ path: `${folder}/${name}-${medium}.png`, fullPage: name === "status" });
    await opened.close();
  }
}

await take("well");
await take("traffic", { at: "traffic" });
await fault("app", "refuse");
await tick(3);
await take("outage");
await take("alerts", { at: "alerts" });
await take("jobs", { at: "jobs" });
await takeStatus("status");
await takeElsewhere("status", (page) => page.goto(`${BASE}/status`));
await takeElsewhere("dashboard", async (page) => {
  await signIn(page, "?range=7d");
  await drawAll(page);
});
await fault("app", "ok");
await tick(2);
await close();
