// The state of everything in the tab's title and icon: a tab that is pinned is the dashboard
// that is looked at most.

import { effect } from "@preact/signals";
import { headline, looseAlerts, openIncidents } from "../words/headline.js";
import { choices } from "./address.js";
import { now } from "./clock.js";
import { known, trouble } from "./feed.js";

const WORDS = { fine: "All works", watch: "Look", bad: "Trouble", unknown: "Not known" };

export function show() {
  const icon = document.getElementById("icon");
  effect(() => {
    const { level, many } = standing();
    document.title = level == null ? "Dashboard · Pourtrait Ops" : `${many > 0 ? `(${many}) ` : ""}${WORDS[level]} · Pourtrait Ops`;
    const href = level == null ? "/favicon.svg" : ICONS[`state-${level}.svg`];
    if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
  });
  effect(() => {
    const { theme, wall } = choices.value;
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    document.documentElement.toggleAttribute("data-wall", wall);
  });
}

function standing() {
  if (known.value == null) return { level: null, many: 0 };
  const { data } = known.value;
  const level = trouble.value ? "unknown" : headline(data, now.value).level;
  return { level, many: openIncidents(data).length + looseAlerts(data).length };
}
