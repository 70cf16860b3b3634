// The frame of a panel: its name, one sentence, and what is beneath once it comes into view.
// A panel takes the place it needs before it is drawn, so that nothing jumps.

import { Component } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { standing } from "../words/standing.js";
import { explain } from "./definitions.jsx";
import { State } from "./state.jsx";
import { inTurn } from "./turns.js";

/** How far below the fold a panel is drawn already. */
const AHEAD = "400px";

const STATES = { fine: "up", watch: "degraded", bad: "down", unknown: "unknown", empty: "unknown" };

/** What cannot be drawn takes no other panel along, and is tried again with the next document. */
class Whole extends Component {
  state = { wrong: null };

  static getDerivedStateFromError(wrong) {
    return { wrong };
  }

  componentDidCatch(wrong) {
    console.error(wrong);
  }

  componentWillReceiveProps({ data }) {
    if (data !== this.props.data) this.setState({ wrong: null });
  }

  render({ children }, { wrong }) {
    return wrong ? <p class="reason">This part cannot be drawn: {wrong.message}</p> : children;
  }
}

export function Panel({ panel, data }) {
  const { level, says } = standing(panel, data);
  const place = useRef(null);
  const [near, setNear] = useState(false);
  useEffect(() => {
    const watching = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      watching.disconnect();
      inTurn(() => setNear(true));
    }, { rootMargin: AHEAD });
    watching.observe(place.current);
    // Printed, it is all there.
    const whole = () => setNear(true);
    addEventListener("beforeprint", whole);
    return () => {
      watching.disconnect();
      removeEventListener("beforeprint", whole);
    };
  }, []);
  return (
    <section id={panel.id} class={`panel ${panel.wide ? "wide" : ""} ${level}`} aria-labelledby={`${panel.id}-title`} ref={place} data-drawn={near ? "" : undefined}>
      <header>
        <h3 id={`${panel.id}-title`} tabIndex={-1}>
          {level !== "fine" && level !== "empty" && <State is={STATES[level]} quiet />}
          {panel.title}
        </h3>
        <button type="button" class="plain quiet" aria-label={`Definitions of ${panel.title}`} onClick={() => explain(panel)}>Definitions</button>
      </header>
      <p class="says">{says}</p>
      {near ? <Whole data={data}><panel.Body data={data} /></Whole> : <div class="coming" />}
    </section>
  );
}
