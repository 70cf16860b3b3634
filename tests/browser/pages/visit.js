// What an app does with our module and web-vitals, and buttons that do what people do.

import { onCLS, onFCP, onINP, onLCP, onTTFB } from "web-vitals";
import { open } from "../../../web/door/pourtrait.js";

const { dataset } = document.currentScript;
const ops = open({ url: dataset.door, release: "wine@1.4.2", every: Number(dataset.every ?? 200) });
if ("vitals" in dataset) {
  for (const measure of [onCLS, onFCP, onINP, onLCP, onTTFB]) measure(ops.webVital);
}

function pourFromEmptyBottle() {
  throw new TypeError("no wine for anna@wine.example");
}

async function orderFromClosedShop() {
  throw new RangeError("order 17 is out of range");
}

function shelve() {
  // So long that it counts as an interaction.
  const until = performance.now() + 80;
  while (performance.now() < until);
  history.pushState({}, "", "/cellar/7?token=abcdef");
  ops.pageView("/cellar/[id]");
}

function shift() {
  const banner = document.createElement("p");
  banner.style.height = "300px";
  document.body.prepend(banner);
}

for (const [id, work] of Object.entries({ pour: pourFromEmptyBottle, order: orderFromClosedShop, shelve })) {
  const button = document.createElement("button");
  button.id = id;
  button.textContent = id;
  button.addEventListener("click", () => void work());
  document.body.append(button);
}

globalThis.ops = ops;
ops.pageView();
globalThis.shift = shift;
