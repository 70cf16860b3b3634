// What stands where nothing is known yet: why, and the exact command that changes it.

/** @param {{children: any, command?: string}} props */
export function Empty({ children, command }) {
  return (
    <div class="empty">
      <p>{children}</p>
      {command && <pre><code>{command}</code></pre>}
    </div>
  );
}
