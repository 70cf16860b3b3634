// How far people come on the ways through the app that somebody wants counted.

import { Meter } from "../charts/meter.jsx";
import { Empty } from "../parts/empty.jsx";
import { Time } from "../parts/time.jsx";
import { count, number, percent, span } from "../words/numbers.js";

function state({ funnels }) {
  if (funnels.length === 0) return { level: "empty", says: "No way through the app is counted." };
  const failed = funnels.filter(({ failure }) => failure);
  if (failed.length > 0) return { level: "watch", says: `${failed[0].name} could not be counted anew: ${failed[0].failure}` };
  const counted = funnels.filter(({ conversionRate }) => conversionRate != null);
  return { level: "fine", says: counted.length > 0 ? counted.map(({ name, conversionRate }) => `${name}: ${percent(conversionRate)} % come to the end.`).join(" ") : "None is counted yet." };
}

function Body({ data }) {
  if (data.funnels.length === 0) return <Empty command={"pourtrait funnels set first-wine user_registered taste_profile_completed wine_added"}>Name its steps:</Empty>;
  return data.funnels.map((funnel) => (
    <div key={funnel.name} class="funnel">
      <h4>{funnel.name} <span class="muted">within {span(funnel.withinSeconds)}, {count(funnel.days, "day")} up to <Time at={funnel.asOf} /></span></h4>
      <ol class="budgets">
        {funnel.steps.map((step) => (
          <li key={step.step}>
            <span><code>{step.step}</code></span>
            <Meter value={step.ofFirst ?? 0} most={100} level="fine" label={`${step.step}: ${number(step.people)} people`} />
            <span class="muted"><span class="number">{number(step.people)}</span> people, {percent(step.ofFirst)} %{step.droppedOff > 0 && `; ${number(step.droppedOff)} were lost`}{step.medianSeconds != null && `; half within ${span(step.medianSeconds)}`}</span>
          </li>
        ))}
      </ol>
    </div>
  ));
}

export default {
  id: "funnels", title: "Funnels", part: "People", state, Body,
  defines: [
    { name: "People", path: "funnels", means: "Who came to a step after those before it, within the time of the funnel." },
    { name: "Come to the end", path: "funnels", means: "Of those of the first step." },
  ],
};
