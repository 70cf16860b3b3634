// Lines over time. The picture is drawn by uPlot; beside it there is the same for everybody: a
// sentence, keys that move the cursor and a table.

import { signal } from "@preact/signals";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { choices, choose } from "../state/address.js";
import { Table } from "../parts/table.jsx";
import { inTurn } from "../parts/turns.js";
import { whole, clock } from "../words/times.js";
import { colour, onTheme } from "./colours.js";
import { MOST_POINTS, MOST_ROWS, gaps, sentence, thinned, times, zoomed } from "./series.js";

const HEIGHT = 160;
const SYNC = uPlot.sync("time");

/** What the cursor points at, in words; said aloud once it rests. */
const spoken = signal("");
let speaking = null;

function say(text) {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    spoken.value = text;
  }, 150);
}

/** The one place where values are said. */
export function Spoken() {
  return <p class="unseen" aria-live="polite">{spoken}</p>;
}

/**
 * @param {object} props
 * @param {string} props.title
 * @param {string} props.unit
 * @param {{from: string, step: number}} props.series
 * @param {{label: string, values: (number | null)[], style?: string, low?: boolean}[]} props.lines
 *   the first one is the one that is told; `style` names how it is drawn
 * @param {(value: number) => string} props.words a value with its unit
 * @param {{at: number, label: string}[]} [props.marks] events, seconds since 1970
 * @param {boolean} [props.bands] the first line is the lower and the second the upper edge of a band
 */
export function TimeChart({ title, unit, series, lines, words, marks = [], bands = false }) {
  const [asTable, setAsTable] = useState(false);
  const described = useId();
  const { zoom } = choices.value;
  const part = useMemo(() => {
    const at = times(series, Math.max(...lines.map(({ values }) => values.length)));
    const seen = zoomed(at, lines, zoom);
    return thinned(seen.at, seen.lines, MOST_POINTS);
  }, [series, lines, zoom]);
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title} <span class="unit">{unit}</span></span>
        <span class="chart-actions">
          {zoom == null && <button type="button" class="plain" aria-label={`Closer: ${title}`} onClick={() => choose({ zoom: half(part.at) })}>Closer</button>}
          {zoom && <button type="button" class="plain" onClick={() => choose({ zoom: null })} aria-label={`Whole range: ${title}`}>Whole range</button>}
          <button type="button" class="plain" aria-label={`Table: ${title}`} aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>Table</button>
        </span>
      </figcaption>
      <p class="unseen" id={described}>{part.lines.map((line) => sentence({ ...line, label: line.label || title }, words)).join(" ")}{said(marks, part.at)}</p>
      {asTable ? <AsTable part={part} words={words} title={title} />
        : <Canvas part={part} step={series.step} words={words} marks={marks} bands={bands} title={title} described={described} />}
    </figure>
  );
}

/** The later half of the time, for those who cannot drag. */
function half(at) {
  return [at[Math.floor(at.length / 2)], at.at(-1)];
}

function said(marks, at) {
  const seen = marks.filter((mark) => mark.at >= at[0]);
  return seen.length === 0 ? "" : ` ${seen.map(({ at: time, label }) => `${label} at ${clock(time * 1000, Date.now())}`).join(", ")}.`;
}

function AsTable({ part, words, title }) {
  const few = thinned(part.at, part.lines, MOST_ROWS);
  const rows = few.at.map((at, nth) => ({ at, values: few.lines.map(({ values }) => values[nth]) })).reverse();
  const columns = [
    { key: "at", label: "From", value: (row) => row.at, show: (row) => <time dateTime={new Date(row.at * 1000).toISOString()} title={whole(row.at * 1000)}>{clock(row.at * 1000, Date.now())}</time> },
    ...few.lines.map(({ label }, nth) => ({
      key: `line ${nth}`, label: label || title, number: true, value: (row) => row.values[nth], show: (row) => (row.values[nth] == null ? "not known" : words(row.values[nth])),
    })),
  ];
  return <Table caption={title} columns={columns} rows={rows} id={(row) => row.at} />;
}

function Canvas({ part, step, words, marks, bands, title, described }) {
  const place = useRef(null);
  const plot = useRef(null);
  const [active, setActive] = useState(false);
  const latest = useRef({ marks, words, part, step });
  latest.current = { marks, words, part, step };

  useEffect(() => {
    const element = place.current;
    const data = [part.at, ...part.lines.map(({ values }) => values)];
    if (plot.current) plot.current.setData(data);
    // A chart that is not drawn yet will be with what is known by then.
    else if (!element.isAwaited) {
      element.isAwaited = true;
      inTurn(() => element.isConnected && draw(element, plot, latest, bands));
    }
  }, [part]);
  useEffect(() => () => plot.current?.ended(), []);
  useEffect(() => plot.current?.redraw(false), [marks]);

  const keys = (event) => {
    const moved = plot.current && led(event.key, plot.current);
    if (moved == null) return;
    event.preventDefault();
    if (Array.isArray(moved)) return choose({ zoom: moved });
    if (moved === "whole") return choose({ zoom: null });
    pointAt(plot.current, moved, latest.current);
  };
  return (
    <div
      class="canvas" tabIndex={0} role={active ? "application" : "img"}
      aria-roledescription={active ? "chart, arrow keys move" : "chart"} aria-label={title} aria-describedby={described}
      ref={place} onFocus={() => setActive(true)} onBlur={() => setActive(false)} onKeyDown={keys}
    />
  );
}

function draw(element, plot, latest, bands) {
  const { at, lines } = latest.current.part;
  plot.current = new uPlot(options(element.clientWidth, latest, bands), [at, ...lines.map(({ values }) => values)], element);
  const sized = new ResizeObserver(() => {
    const width = Math.floor(element.clientWidth);
    if (width > 0 && Math.abs(plot.current.width - width) > 1) plot.current.setSize({ width, height: HEIGHT });
  });
  sized.observe(element);
  const unthemed = onTheme(() => plot.current.redraw(false));
  plot.current.ended = () => {
    sized.disconnect();
    unthemed();
    plot.current.destroy();
    plot.current = null;
  };
}

/** Where a key leads: a point, a part of the time, or the whole; null if it means nothing. */
function led(key, plot) {
  const [at] = plot.data;
  const now = plot.cursor.idx ?? at.length - 1;
  const page = Math.max(1, Math.round(at.length / 10));
  const to = (nth) => Math.min(at.length - 1, Math.max(0, nth));
  switch (key) {
    case "ArrowLeft": return to(now - 1);
    case "ArrowRight": return to(now + 1);
    case "PageUp": return to(now - page);
    case "PageDown": return to(now + page);
    case "Home": return 0;
    case "End": return at.length - 1;
    case "+": {
      const quarter = (at.at(-1) - at[0]) / 4;
      return quarter < 120 ? null : [at[now] - quarter, at[now] + quarter];
    }
    case "-": return "whole";
    default: return null;
  }
}

function pointAt(plot, nth, { part, words }) {
  const [at] = plot.data;
  plot.setCursor({ left: plot.valToPos(at[nth], "x"), top: 10 });
  const values = part.lines.map(({ label, values: all }) => `${label} ${all[nth] == null ? "not known" : words(all[nth])}`.trim());
  say(`${clock(at[nth] * 1000, Date.now())}: ${values.join(", ")}`);
}

const STYLES = {
  first: { stroke: "--series-1", width: 2 },
  second: { stroke: "--series-3", width: 1.5, dash: [6, 4] },
  third: { stroke: "--series-2", width: 1.5, dash: [2, 3] },
  bad: { stroke: "--down", width: 2 },
  area: { stroke: "--series-1", width: 1.5, fill: "--band" },
};

function options(width, latest, bands) {
  const { lines } = latest.current.part;
  const axis = { stroke: () => colour("--muted"), grid: { stroke: () => colour("--rule"), width: 1 }, ticks: { show: false }, font: "12px system-ui", };
  return {
    width: Math.max(200, Math.floor(width)),
    height: HEIGHT,
    padding: [8, labelWidth(lines, latest.current.words), 0, 0],
    legend: { show: false },
    cursor: { sync: { key: SYNC.key, setSeries: false }, points: { size: 7 }, drag: { x: true, y: false, setScale: false } },
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 70, values: (plot, splits) => hours(splits) },
      { ...axis, size: 52, space: 40, values: (_, splits) => splits.map((value) => latest.current.words(value)) },
    ],
    series: [{}, ...lines.map(({ label, style = "first" }) => drawn(label, STYLES[style]))],
    bands: bands ? [{ series: [2, 1], fill: () => colour("--band") }] : [],
    hooks: {
      drawClear: [(plot) => hatch(plot, latest.current)],
      draw: [(plot) => mark(plot, latest.current), (plot) => labels(plot, latest.current)],
      setSelect: [zoomTo],
      setCursor: [(plot) => tell(plot, latest.current)],
    },
  };
}

function drawn(label, { stroke, width, dash, fill }) {
  return {
    label, width, dash, spanGaps: false,
    stroke: () => colour(stroke),
    fill: fill ? () => colour(fill) : undefined,
    points: { show: false },
  };
}

/** Room for the longest name with a value. */
function labelWidth(lines, words) {
  const longest = lines.map(({ label, values }) => label.length + words(values.findLast((value) => value != null) ?? 0).length + 1);
  return 14 + 6.5 * Math.max(...longest);
}

const DAY_FORMAT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const HOUR_FORMAT = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

function hours(splits) {
  const long = splits.length > 1 && splits[1] - splits[0] >= 43_200;
  return splits.map((time) => {
    const at = new Date(time * 1000);
    return long || (at.getHours() === 0 && at.getMinutes() === 0) ? DAY_FORMAT.format(at) : HOUR_FORMAT.format(at);
  });
}

/** Time of which nothing is known. */
function hatch(plot, { part, step }) {
  const [first] = part.lines;
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  const width = part.at.length > 1 ? part.at[1] - part.at[0] : step;
  for (const [from, until] of gaps(part.at, first.values, width)) {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(until, "x", true));
    ctx.rect(left, bbox.top, right - left, bbox.height);
  }
  ctx.clip();
  ctx.strokeStyle = colour("--rule");
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  for (let x = bbox.left - bbox.height; x < bbox.left + bbox.width; x += 8 * devicePixelRatio) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
}

/** Deployments and the like: a line with a small flag. */
function mark(plot, { marks }) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("--muted");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at } of marks) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const size = 5 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x + size, bbox.top + size / 2);
    ctx.lineTo(x, bbox.top + size);
    ctx.fill();
  }
  ctx.restore();
}

/** The name of each line and its last value at its end, apart from each other. */
function labels(plot, { part, words }) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = `${12 * devicePixelRatio}px system-ui`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const height = 14 * devicePixelRatio;
  const ends = part.lines.map(({ label, values, style = "first" }) => {
    const last = values.findLast((value) => value != null);
    return last == null ? null : { text: `${label} ${words(last)}`.trim(), style, y: plot.valToPos(last, "y", true) };
  }).filter(Boolean).sort((one, other) => other.y - one.y);
  let lowest = bbox.top + bbox.height;
  for (const { text, style, y } of ends) {
    const at = Math.min(y, lowest - height / 2);
    lowest = at - height / 2;
    ctx.fillStyle = colour(STYLES[style].stroke);
    ctx.fillText(text, bbox.left + bbox.width + 6 * devicePixelRatio, at);
  }
  ctx.restore();
}

function zoomTo(plot) {
  const { left, width } = plot.select;
  if (width < 8) return;
  const part = [left, left + width].map((x) => Math.round(plot.posToVal(x, "x")));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (part[1] - part[0] >= 120) choose({ zoom: part });
}

/** What lies under the cursor, beside it. */
function tell(plot, { part, words, marks }) {
  const box = plot.tip ?? (plot.tip = tip(plot));
  const { idx, left } = plot.cursor;
  if (idx == null || left < 0) {
    box.hidden = true;
    return;
  }
  const width = part.at.length > 1 ? part.at[1] - part.at[0] : 60;
  const near = marks.filter(({ at }) => Math.abs(at - part.at[idx]) <= width).map(({ label }) => label);
  const lines = part.lines.map(({ label, values }) => `${label}  ${values[idx] == null ? "not known" : words(values[idx])}`.trim());
  box.textContent = [clock(part.at[idx] * 1000, Date.now()), ...lines, ...near].join("\n");
  box.hidden = false;
  const over = plot.over.clientWidth;
  box.style.left = left > over / 2 ? "auto" : `${left + 12}px`;
  box.style.right = left > over / 2 ? `${over - left + 12}px` : "auto";
}

function tip(plot) {
  const box = document.createElement("div");
  box.className = "tip";
  box.setAttribute("aria-hidden", "true");
  plot.over.append(box);
  return box;
}
