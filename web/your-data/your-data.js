// The page behind a link to an export. What the link proves stands behind #, so that it is in no
// log, and is used only when somebody presses: programs that open links beforehand use nothing up.

const FAILED = "That does not work right now. The link still works: try again later.";

const button = document.querySelector("button");
const says = document.querySelector("[role=status]");
const token = location.hash.slice(1);

// Whoever looks over the shoulder, or into the history, does not find it.
history.replaceState(null, "", location.pathname);

if (token) {
  button.disabled = false;
  button.addEventListener("click", fetchExport);
} else {
  says.textContent = "This is the page of a link that was mailed to somebody. Open that link.";
}

async function fetchExport() {
  button.disabled = true;
  says.textContent = "One moment…";
  const answer = await send().catch(() => undefined);
  const body = await answer?.json().catch(() => undefined);
  if (answer?.ok && body?.url) {
    says.textContent = "Your download begins. The link is used up now.";
    location.assign(body.url);
  } else if (answer?.status === 404) {
    says.textContent = `It cannot be fetched: ${body?.detail ?? "there is no such export"}.`;
  } else {
    says.textContent = FAILED;
    button.disabled = false;
  }
}

function send() {
  return fetch("/api/account", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ action: "fetchExport", token }),
  });
}
