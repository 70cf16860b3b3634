// The button that lets this browser be reached by push messages.

import { useEffect } from "preact/hooks";
import { device, lookAtDevice, leaveDevice, reachDevice } from "../state/device.js";

export function Device({ account }) {
  useEffect(() => void lookAtDevice(), []);
  const { state, says } = device.value;
  if (!account.pushKey || state === "unknown" || state === "unsupported") return null;
  return (
    <>
      {state === "denied"
        ? <span class="muted" title="The browser's settings for this site say so, and only they change it.">Notifications are blocked</span>
        : state === "on"
          ? <button type="button" class="plain" onClick={() => leaveDevice()}>Stop notifying this device</button>
          : <button type="button" class="plain" onClick={() => reachDevice(account.pushKey)}>Notify this device</button>}
      <span role="status" class="muted">{says}</span>
    </>
  );
}
