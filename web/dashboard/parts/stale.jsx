// The ribbon that says since when what is shown is old.

import { look, seenAt, trouble } from "../state/feed.js";
import { Time } from "./time.jsx";

export function Stale() {
  const found = trouble.value;
  const isOld = found != null && seenAt.value != null;
  return (
    <div role="status" class={isOld ? "stale" : undefined}>
      {isOld && (
        <p>
          Stale since <Time at={seenAt.value} absolute />, <Time at={seenAt.value} />: {found.says}. What is shown is what was known then.{" "}
          <button type="button" class="plain" onClick={() => look()}>Try now</button>
        </p>
      )}
    </div>
  );
}
