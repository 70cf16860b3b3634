// The list of keys.

import { KEYS, helping } from "../state/keys.js";
import { Dialog } from "./dialog.jsx";

export function Keys() {
  if (!helping.value) return null;
  return (
    <Dialog title="Keys" close={() => (helping.value = false)}>
      <dl class="keys">
        {KEYS.map(([keys, means]) => <div key={keys}><dt><kbd>{keys}</kbd></dt><dd>{means}</dd></div>)}
      </dl>
    </Dialog>
  );
}
