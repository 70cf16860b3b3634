// One value against what is allowed: a bar with a notch at the limit.

/**
 * @param {object} props
 * @param {number} props.value
 * @param {number} props.most the right end
 * @param {number} [props.limit] where the notch is
 * @param {"fine" | "watch" | "bad"} props.level
 * @param {string} props.label
 */
export function Meter({ value, most, limit, level, label }) {
  const part = (of) => Math.max(0, Math.min(100, (of / most) * 100));
  return (
    <svg class={`meter ${level}`} viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="rest" x="0" y="2" width="100" height="4" />
      <rect class="full" x="0" y="2" width={part(value)} height="4" />
      {limit != null && <rect class="limit" x={Math.min(99, part(limit))} y="0" width="1" height="8" />}
    </svg>
  );
}
