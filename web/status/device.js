// Lets this device be told of changes: what the buttons of the page's section do, which stays
// hidden where a browser cannot.

import { STATUS_PAGE, current, obstacle, subscribe, unsubscribe } from "../push/push.js";

const BLOCKED = "This browser's settings for this site block notifications, and only they change that.";
const FAILED = "That does not work right now; try again later.";

/** Shows the section, as this browser stands, and has its buttons work. */
export async function offerDevice(section) {
  const stands = section ? obstacle() : "unsupported";
  if (stands === "unsupported") {
    return;
  }
  const form = section.querySelector("form");
  const [start, stop] = form.querySelectorAll("button");
  const says = section.querySelector("[role=status]");

  const show = (isTold, text = "") => {
    form.querySelector("fieldset")?.toggleAttribute("hidden", isTold);
    start.hidden = isTold;
    stop.hidden = !isTold;
    says.textContent = text;
  };
  // One press at a time.
  const once = (work) => async (event) => {
    event.preventDefault();
    start.disabled = stop.disabled = true;
    try {
      await work();
    } finally {
      start.disabled = stop.disabled = false;
    }
  };

  form.addEventListener("submit", once(async () => {
    const chosen = new FormData(form).getAll("component");
    let subscription;
    try {
      subscription = await subscribe(section.dataset.key, STATUS_PAGE);
    } catch (error) {
      show(false, obstacle() === "denied" ? BLOCKED : `The browser did not allow it: ${error.message}`);
      return;
    }
    const answer = await send("/status/push", subscription, chosen);
    if (!answer.ok) {
      await unsubscribe(STATUS_PAGE);
      show(false, answer.status === 429 ? "Too many requests. Try again in an hour." : FAILED);
      return;
    }
    show(true, "This device is told of changes. ");
    const link = document.createElement("a");
    link.href = (await answer.json()).manage;
    link.textContent = "Choose what it hears of";
    says.append(link);
  }));
  stop.addEventListener("click", once(async () => {
    const ended = await unsubscribe(STATUS_PAGE);
    // Where this does not arrive, the push service says so with the next message.
    if (ended) await send("/status/push/end", ended, []);
    show(false, "This device is told no more.");
  }));

  show((await current(STATUS_PAGE)) != null, stands === "denied" ? BLOCKED : "");
  section.hidden = false;
}

/** Has the browser forget what was ended elsewhere. */
export async function forgetDevice() {
  if (obstacle() !== "unsupported") {
    await unsubscribe(STATUS_PAGE);
  }
}

function send(path, subscription, components) {
  const body = new URLSearchParams({ subscription: JSON.stringify(subscription) });
  for (const component of components) {
    body.append("component", component);
  }
  return fetch(path, { method: "POST", body }).catch(() => Response.error());
}
