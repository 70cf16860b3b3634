// What the app wrote that is in no figure.

import { Figure, Figures } from "../parts/figure.jsx";
import { count, list, number } from "../words/numbers.js";

function state({ dataQuality }) {
  const { leftOut, uncounted } = dataQuality;
  const out = Object.values(leftOut).reduce((sum, many) => sum + many, 0);
  const counting = uncounted.tablesInProgress.length > 0 ? ` Older rows of ${list(uncounted.tablesInProgress)} are still being counted.` : "";
  if (out + uncounted.rows === 0) return { level: "fine", says: `Every row that the app wrote is in the figures.${counting}` };
  return { level: "watch", says: `${count(out + uncounted.rows, "row holds", "rows hold")} something that cannot be real, or could not be counted.${counting}` };
}

function Body({ data }) {
  const { leftOut, uncounted } = data.dataQuality;
  const all = { ...leftOut, uncounted: uncounted.rows };
  if (Object.values(all).every((many) => many === 0)) return null;
  const names = { responseTimes: "Response times", statusCodes: "Status codes", businessMetrics: "Business metrics", webVitals: "Web vitals", futureRows: "From the future", uncounted: "Not counted" };
  return <Figures>{Object.entries(all).map(([name, many]) => <Figure key={name} label={names[name] ?? name} value={number(many)} level={many > 0 ? "watch" : "fine"} />)}</Figures>;
}

export default {
  id: "data-quality", title: "Data quality", part: "Operation", state, Body,
  defines: [
    { name: "Left out", path: "dataQuality.leftOut", means: "NaN, infinity, less than nothing, more than a million million, a status that is none of HTTP, or a time to come." },
    { name: "Not counted", path: "dataQuality.uncounted", means: "Rows of the range whose counting failed; they are kept." },
  ],
};
