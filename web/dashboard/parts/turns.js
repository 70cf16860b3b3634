// Work that is done piece by piece, so that the page answers in between.

const waiting = [];

/** Does some work after what came before it, in a task of its own. */
export function inTurn(work) {
  waiting.push(work);
  if (waiting.length === 1) setTimeout(next);
}

function next() {
  try {
    waiting[0]();
  } finally {
    waiting.shift();
    if (waiting.length > 0) setTimeout(next);
  }
}
