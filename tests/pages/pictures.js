// Pictures of the dashboard at three widths in both themes, of a local stack in which something
// is wrong: `node pictures.js FOLDER`, then choose the best ones for docs/pictures.

import { mkdirSync } from "node:fs";
import { close, drawAll, fault, signIn, tab, tick } from "./browser.js";

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

await take("well");
await take("traffic", { at: "traffic" });
await fault("app", "refuse");
await tick(3);
await take("outage");
await fault("app", "ok");
await tick(2);
await close();
