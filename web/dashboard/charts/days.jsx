// Ninety days of a service as one strip: a column a day, in which the height of a colour is the
// share of the time. It is one control that arrow keys move along, not ninety links.

import { useState } from "preact/hooks";
import { begun, told } from "./day-words.js";

const [WIDTH, HEIGHT] = [6, 28];

/**
 * @param {object} props
 * @param {string} props.name
 * @param {string} props.from the first day, `YYYY-MM-DD`
 * @param {{up: number[], degraded: number[], down: number[], unknown: number[], maintenance: number[]}} props.days seconds; what is degraded is up
 */
export function Days({ name, from, days }) {
  const many = days.up.length;
  const [at, setAt] = useState(null);
  const since = begun(days);
  const says = (nth) => told(from, days, nth);
  const move = (event) => {
    const now = at ?? many - 1;
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowDown: now - 1, ArrowUp: now + 1, PageUp: now - 7, PageDown: now + 7, Home: 0, End: many - 1 }[event.key];
    if (to == null) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(many - 1, to)));
  };
  const hover = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    setAt(Math.max(0, Math.min(many - 1, Math.floor(((event.clientX - box.left) / box.width) * many))));
  };
  return (
    <div class="days">
      <svg
        viewBox={`0 0 ${many * WIDTH} ${HEIGHT}`} preserveAspectRatio="none" tabIndex={0} role="slider" aria-label={`${name}, the last ${many} days`}
        aria-valuemin={0} aria-valuemax={many - 1} aria-valuenow={at ?? many - 1} aria-valuetext={says(at ?? many - 1)}
        onKeyDown={move} onPointerMove={hover} onPointerLeave={() => setAt(null)} onBlur={() => setAt(null)} onFocus={() => setAt(at ?? many - 1)}
      >
        {days.up.map((_, nth) => <Day key={nth} nth={nth} days={days} isBefore={nth < since} chosen={at === nth} />)}
      </svg>
      <p class="days-says">{at == null ? "" : says(at)}</p>
    </div>
  );
}

function Day({ nth, days, isBefore, chosen }) {
  const [up, down, unknown, maintenance] = [days.up, days.down, days.unknown, days.maintenance].map((seconds) => seconds[nth] ?? 0);
  const all = up + down + unknown + maintenance;
  const x = nth * WIDTH;
  const width = WIDTH - 1.5;
  if (isBefore || all === 0) return <rect class="before" x={x} y={HEIGHT - 2} width={width} height="2" />;
  const tall = (seconds, least) => (seconds === 0 ? 0 : Math.max(least, (seconds / all) * HEIGHT));
  // A minute of a day could not be seen otherwise.
  const [downTall, degradedTall, unknownTall] = [tall(down, 7), tall(days.degraded?.[nth] ?? 0, 4), tall(unknown, 3)];
  return (
    <g class={chosen ? "chosen" : undefined}>
      <rect class="up" x={x} y="0" width={width} height={HEIGHT} />
      {unknownTall > 0 && <rect class="unknown" x={x} y="0" width={width} height={unknownTall} fill="url(#hatch)" />}
      {degradedTall > 0 && <rect class="degraded" x={x} y={HEIGHT - downTall - degradedTall} width={width} height={degradedTall} />}
      {downTall > 0 && <rect class="down" x={x} y={HEIGHT - downTall} width={width} height={downTall} />}
      {maintenance > 0 && <path class="maintenance" d={`M${x} 0h${width}l${-width / 2} 7z`} />}
    </g>
  );
}

/** The pattern of what is not known, once on the page. */
export function Hatch() {
  return (
    <svg class="defs" aria-hidden="true" width="0" height="0">
      <defs>
        <pattern id="hatch" patternUnits="userSpaceOnUse" width="4" height="4" patternTransform="rotate(45)">
          <rect class="hatch-ground" width="4" height="4" />
          <rect class="hatch-line" width="1.4" height="4" />
        </pattern>
      </defs>
    </svg>
  );
}
