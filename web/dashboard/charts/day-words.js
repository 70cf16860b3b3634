// What a day of a service was like, in words. Pure.

import { percent, span } from "../words/numbers.js";

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** The first day of which anything is known; of those before it nothing was watched. */
export function begun(days) {
  const first = days.up.findIndex((_, nth) => days.up[nth] + days.down[nth] + days.maintenance[nth] > 0);
  return first < 0 ? days.up.length : first;
}

/** `12 Nov: 99.93 %, 1 min down, 3 min not measured.` */
export function told(from, days, nth) {
  const day = DAY.format(new Date(new Date(`${from}T00:00:00Z`).getTime() + nth * 86_400_000));
  const [up, down, unknown, maintenance] = ["up", "down", "unknown", "maintenance"].map((kind) => days[kind][nth] ?? 0);
  const degraded = days.degraded?.[nth] ?? 0;
  if (nth < begun(days)) return `${day}: before it was watched.`;
  const parts = [up + down > 0 ? `${percent((up / (up + down)) * 100)} %` : "nothing known"];
  if (down > 0) parts.push(`${span(down)} down`);
  if (degraded > 0) parts.push(`${span(degraded)} degraded`);
  if (maintenance > 0) parts.push(`${span(maintenance)} of maintenance`);
  if (unknown > 60) parts.push(`${span(unknown)} not measured`);
  return `${day}: ${parts.join(", ")}.`;
}

/** Uptime over all days in percent, and how much of the time is known. */
export function overall(days) {
  const sum = (seconds) => seconds.reduce((total, some) => total + some, 0);
  const [up, down] = [sum(days.up), sum(days.down)];
  const since = begun(days);
  const watched = up + down + sum(days.unknown.slice(since));
  return { uptime: up + down > 0 ? (up / (up + down)) * 100 : null, known: watched > 0 ? ((up + down) / watched) * 100 : null };
}
