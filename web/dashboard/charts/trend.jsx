// Small bars in a row of text: how often in each hour.

import { number } from "../words/numbers.js";

const [WIDTH, HEIGHT, GAP] = [96, 20, 1];

/** @param {{counts: number[], label: string}} props */
export function Trend({ counts, label }) {
  const most = Math.max(1, ...counts);
  const width = WIDTH / counts.length;
  return (
    <svg class="trend" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={`${label}: ${number(counts.reduce((sum, count) => sum + count, 0))} in all, ${number(counts.at(-1))} in the last hour, ${number(most)} at most`}>
      {counts.map((count, nth) => {
        const height = count === 0 ? 1 : Math.max(3, (count / most) * HEIGHT);
        return <rect key={nth} class={count === 0 ? "none" : "some"} x={nth * width} y={HEIGHT - height} width={Math.max(1, width - GAP)} height={height} />;
      })}
    </svg>
  );
}
