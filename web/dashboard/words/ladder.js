// Who is asked next about an alert, in words. Pure.

import { list } from "./numbers.js";

const KEEPS = {
  acknowledged: "Somebody has it: nobody else is asked before",
  silenced: "It is silenced: nobody is asked before",
  held: "Nobody is asked: it waits for the end of its cause.",
  all_asked: "Everybody whom it asks was asked.",
  no_contacts: "Nobody can be asked: no contact stands on a rung of the ladder.",
  no_ladder: "It asks nobody: it is told where alerts are read, and no contact wants to be asked about one as bad as that.",
  not_planned: "Its ladder is planned with the next look.",
};

/** What keeps a ladder from going on, and until when; null if nothing does. */
export function keeps({ reason, until }) {
  if (reason == null) return null;
  const says = KEEPS[reason] ?? `Nobody is asked (${reason}).`;
  return says.endsWith("before") ? { says, until } : { says, until: null };
}

/** Whom a rung asks. */
export function asks({ level, names }) {
  if (level == null) return "The email is sent";
  return `${list(names)} ${names.length === 1 ? "is" : "are"} asked (level ${level})`;
}
