// What a link points at and the document does not hold.

import { choices, choose, point, pointed } from "../state/address.js";

/** The longest range; what is older is in no document. */
const LONGEST = "1y";

export function Lost({ data }) {
  const to = pointed.value;
  const known = { incident: data.incidents, alert: data.alerts.recentAlerts }[to?.kind];
  if (!known || known.some(({ id }) => id === to.id)) return null;
  return (
    <p class="lost" role="status">
      The {to.kind} that the link points at is not among those of this range.{" "}
      {choices.value.range !== LONGEST && <button type="button" class="plain" onClick={() => choose({ range: LONGEST })}>Look at a year</button>}
      <button type="button" class="plain" onClick={() => point("")}>Close</button>
    </p>
  );
}
