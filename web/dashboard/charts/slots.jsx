// The last slots of a job as one strip. An outcome has a height and a pattern of its own, not a
// colour alone; arrow keys move along it.

import { useState } from "preact/hooks";
import { now as present } from "../state/clock.js";
import { at as timeOf, sum, told } from "../words/slots.js";
import { clock } from "../words/times.js";

const [WIDTH, HEIGHT] = [6, 20];

// How tall an outcome stands: what went wrong stands out.
const TALL = { done: 8, running: 4, partial: 14, failed: HEIGHT, abandoned: HEIGHT, missed: HEIGHT };

/**
 * @param {object} props
 * @param {string} props.name
 * @param {number} props.every seconds
 * @param {{from: string, outcomes: (string|null)[]}} props.slots
 */
export function Slots({ name, every, slots }) {
  const many = slots.outcomes.length;
  const [at, setAt] = useState(null);
  const says = (nth) => `${clock(timeOf(slots, every, nth), present.value)}: ${told(slots.outcomes[nth])}`;
  const move = (event) => {
    const now = at ?? many - 1;
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowDown: now - 1, ArrowUp: now + 1, PageUp: now - 10, PageDown: now + 10, Home: 0, End: many - 1 }[event.key];
    if (to == null) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(many - 1, to)));
  };
  const hover = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    setAt(Math.max(0, Math.min(many - 1, Math.floor(((event.clientX - box.left) / box.width) * many))));
  };
  return (
    <div class="days slots">
      <svg
        viewBox={`0 0 ${many * WIDTH} ${HEIGHT}`} preserveAspectRatio="none" tabIndex={0} role="slider" aria-label={`${name}, the last ${many} slots. ${sum(slots)}`}
        aria-valuemin={0} aria-valuemax={many - 1} aria-valuenow={at ?? many - 1} aria-valuetext={says(at ?? many - 1)}
        onKeyDown={move} onPointerMove={hover} onPointerLeave={() => setAt(null)} onBlur={() => setAt(null)} onFocus={() => setAt(at ?? many - 1)}
      >
        {slots.outcomes.map((outcome, nth) => <Slot key={nth} nth={nth} outcome={outcome} chosen={at === nth} />)}
      </svg>
      <p class="days-says">{at == null ? sum(slots) : says(at)}</p>
    </div>
  );
}

function Slot({ nth, outcome, chosen }) {
  const [x, width] = [nth * WIDTH, WIDTH - 1.5];
  const tall = TALL[outcome] ?? 2;
  const kind = { done: "up", partial: "degraded", failed: "down", abandoned: "down" }[outcome] ?? "before";
  const fill = outcome === "missed" ? { fill: "url(#hatch)", class: "missed" } : { class: kind };
  return (
    <g class={chosen ? "chosen" : undefined}>
      <rect {...fill} x={x} y={HEIGHT - tall} width={width} height={tall} />
    </g>
  );
}
