// A dialog of the browser's own: it keeps the focus, closes by Escape and gives the focus back.

import { useEffect, useId, useRef } from "preact/hooks";

export function Dialog({ title, close, children }) {
  const place = useRef(null);
  const name = useId();
  useEffect(() => {
    const before = document.activeElement;
    place.current.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={place} aria-labelledby={name} onClose={close} onClick={(event) => event.target === place.current && place.current.close()}>
      <div class="dialog">
        <header>
          <h2 id={name}>{title}</h2>
          <button type="button" class="plain" onClick={() => place.current.close()}>Close</button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
