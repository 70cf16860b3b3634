// A number with its name, its unit and what it means.

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string | {value: string, unit: string}} props.value
 * @param {string} [props.unit]
 * @param {any} [props.more] a line beneath
 * @param {"fine" | "watch" | "bad"} [props.level]
 */
export function Figure({ label, value, unit, more, level = "fine" }) {
  const shown = value?.unit != null ? value : { value, unit };
  return (
    <div class={`figure ${level}`}>
      <dt>{label}</dt>
      <dd>
        <span class="number">{shown.value}{shown.unit && <span class="unit"> {shown.unit}</span>}</span>
        {more && <span class="more">{more}</span>}
      </dd>
    </div>
  );
}

export function Figures({ children }) {
  return <dl class="figures">{children}</dl>;
}
