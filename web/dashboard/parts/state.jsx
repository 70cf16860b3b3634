// A state: a shape and a colour, each its own, and the word for it.

const SHAPES = {
  up: <circle cx="8" cy="8" r="6" />,
  degraded: <><circle class="line" cx="8" cy="8" r="5.5" /><path d="M8 2a6 6 0 0 1 0 12z" /></>,
  down: <rect x="2" y="2" width="12" height="12" />,
  unknown: <><circle class="line dashed" cx="8" cy="8" r="5.5" /></>,
  maintenance: <path d="M2 3h12L8 14z" />,
};

const KINDS = {
  healthy: "up", up: "up", ok: "up", fine: "up", good: "up", done: "up", resolved: "up",
  degraded: "degraded", watch: "degraded", partial: "degraded", overdue: "degraded", acknowledged: "degraded", monitoring: "degraded",
  identified: "degraded", suspect: "degraded", waiting: "unknown", high: "down", medium: "degraded", low: "unknown",
  unhealthy: "down", down: "down", bad: "down", failed: "down", failing: "down", firing: "down", critical: "down", investigating: "down",
  maintenance: "maintenance",
};

/** @param {{is: string, says?: string, quiet?: boolean}} props `is` is any word of the document */
export function State({ is, says, quiet = false }) {
  const kind = KINDS[is] ?? "unknown";
  return (
    <span class={`state ${kind}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">{SHAPES[kind]}</svg>
      <span class={quiet ? "unseen" : undefined}>{says ?? String(is).replaceAll("_", " ")}</span>
    </span>
  );
}
