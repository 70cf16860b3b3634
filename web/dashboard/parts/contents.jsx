// What is on the page, with a mark beside what is not fine.

import { useEffect } from "preact/hooks";
import { pointed } from "../state/address.js";
import { standing } from "../words/standing.js";
import { State } from "./state.jsx";

const STATES = { watch: "degraded", bad: "down", unknown: "unknown" };

export function Contents({ panels, data }) {
  const to = pointed.value;
  useEffect(() => {
    if (to?.kind !== "panel") return;
    const heading = document.getElementById(`${to.id}-title`);
    heading?.scrollIntoView({ block: "start" });
    heading?.focus({ preventScroll: true });
  }, [to]);
  return (
    <nav class="contents" aria-label="Panels">
      <ul>
        {panels.map((panel) => {
          const { level } = standing(panel, data);
          return (
            <li key={panel.id} class={level}>
              <a href={`#${panel.id}`}>{panel.title}</a>
              {STATES[level] && <State is={STATES[level]} says={level === "bad" ? "bad" : level === "watch" ? "look" : "not known"} quiet />}
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
