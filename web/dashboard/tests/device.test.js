import assert from "node:assert/strict";
import { test } from "node:test";
import { named } from "../state/device.js";

test("a device is called by what its owner would say", () => {
  for (const [agent, expected] of [
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0 Safari/537.36", "Chrome on Linux"],
    ["Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/148.0 Safari/537.36 Edg/148.0", "Edge on Windows"],
    ["Mozilla/5.0 (Linux; Android 16; Pixel) AppleWebKit/537.36 Chrome/148.0 Mobile Safari/537.36", "Chrome on Android"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1 Version/18.4 Mobile Safari/604.1", "Safari on iPhone"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 15.1; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Mac"],
    ["curl/8", "a browser"],
  ]) {
    assert.equal(named(agent), expected);
  }
});
