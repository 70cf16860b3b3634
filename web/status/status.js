// The page is whole without this. It shows times as the reader's clock has them, asks for the
// page anew each minute, says that it knows nothing once its figures are too old, and lets this
// device be told of changes.

import { forgetDevice, offerDevice } from "./device.js";

const EVERY_MS = 60_000;

let skewMs = 0;

const format = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "short",
});

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.title = time.textContent;
      time.textContent = format.format(at);
    }
  }
}

function judge() {
  const main = document.getElementById("status");
  if (!main) {
    return;
  }
  const age = Date.now() - skewMs - Date.parse(main.dataset.generatedAt);
  const note = main.querySelector(".stale");
  if (age > Number(main.dataset.fresh) * 1000 && note?.hidden) {
    note.hidden = false;
    main.querySelector("h1 span").textContent = "How things are is not known right now.";
    main.querySelector("h1 .mark")?.setAttribute("class", "mark unknown");
    document.title = "Not known – " + (document.querySelector("header p")?.textContent ?? "");
  }
}

function chooseDays(root) {
  for (const strip of root.querySelectorAll(".strip[data-days]")) {
    const days = strip.dataset.days.split("|");
    const svg = strip.querySelector("svg");
    const sum = strip.parentElement.querySelector(".sum");
    if (!svg || !sum) {
      continue;
    }
    const whole = sum.textContent;
    const name = strip.getAttribute("aria-label");
    const frame = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    frame.setAttribute("class", "chosen");
    frame.setAttribute("y", "0");
    frame.setAttribute("width", "5");
    frame.setAttribute("height", "40");
    let day = days.length - 1;
    const show = (to) => {
      day = Math.min(Math.max(to, 0), days.length - 1);
      frame.setAttribute("x", String(day * 6));
      svg.append(frame);
      sum.textContent = days[day];
      strip.setAttribute("aria-valuenow", String(day + 1));
      strip.setAttribute("aria-valuetext", days[day]);
    };
    const leave = () => {
      frame.remove();
      sum.textContent = whole;
    };
    strip.tabIndex = 0;
    strip.setAttribute("role", "slider");
    strip.setAttribute("aria-label", name);
    strip.setAttribute("aria-valuemin", "1");
    strip.setAttribute("aria-valuemax", String(days.length));
    strip.setAttribute("aria-valuenow", String(days.length));
    strip.setAttribute("aria-valuetext", days[day]);
    strip.addEventListener("keydown", (event) => {
      const to = {
        ArrowLeft: day - 1,
        ArrowDown: day - 1,
        ArrowRight: day + 1,
        ArrowUp: day + 1,
        PageDown: day - 7,
        PageUp: day + 7,
        Home: 0,
        End: days.length - 1,
      }[event.key];
      if (to !== undefined) {
        event.preventDefault();
        show(to);
      }
    });
    strip.addEventListener("pointermove", (event) => {
      const box = strip.getBoundingClientRect();
      show(Math.floor(((event.clientX - box.left) / box.width) * days.length));
    });
    strip.addEventListener("focus", () => show(day));
    strip.addEventListener("blur", leave);
    strip.addEventListener("pointerleave", () => {
      if (document.activeElement !== strip) {
        leave();
      }
    });
  }
}

function refresh() {
  const main = document.getElementById("status");
  if (!main || document.hidden || main.contains(document.activeElement)) {
    return;
  }
  const request = new XMLHttpRequest();
  request.open("GET", location.pathname + location.search);
  request.responseType = "document";
  request.timeout = 20_000;
  request.onload = () => {
    const fresh = request.status === 200 ? request.response?.getElementById("status") : null;
    const date = Date.parse(request.getResponseHeader("date") ?? "");
    if (!Number.isNaN(date)) {
      skewMs = Date.now() - date;
    }
    if (fresh && !main.contains(document.activeElement)) {
      const adopted = document.importNode(fresh, true);
      main.replaceWith(adopted);
      document.title = request.response.title;
      localise(adopted);
      chooseDays(adopted);
    }
    judge();
  };
  request.onerror = judge;
  request.ontimeout = judge;
  request.send();
}

localise(document);
chooseDays(document);
offerDevice(document.getElementById("device"));
if (document.querySelector("[data-push-ended]")) {
  forgetDevice();
}
refresh();
setInterval(refresh, EVERY_MS);
setInterval(judge, 10_000);
document.addEventListener("visibilitychange", () => {
  judge();
  refresh();
});
