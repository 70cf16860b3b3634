// The pages that were looked at most.

import { Meter } from "../charts/meter.jsx";
import { Empty } from "../parts/empty.jsx";
import { Table } from "../parts/table.jsx";
import { choices } from "../state/address.js";
import { count, number } from "../words/numbers.js";

function state({ pages }) {
  if (pages.length === 0) return { level: "empty", says: "No page view was told in this range." };
  const all = pages.reduce((sum, { views }) => sum + views, 0);
  return { level: "fine", says: `${count(all, "view")} of ${count(pages.length, "page")}; most of ${pages[0].page}.` };
}

function Body({ data }) {
  if (data.pages.length === 0) return <Empty command={"pourtrait door add web --origin https://app.example.com"}>Pages tell their views with our module of 2 KB:</Empty>;
  const most = Math.max(...data.pages.map(({ views }) => views));
  const columns = [
    { key: "page", label: "Page", wide: true, value: ({ page }) => page, show: ({ page }) => <code>{page}</code> },
    { key: "share", label: "Share", minor: true, value: ({ views }) => views, show: ({ page, views }) => <Meter value={views} most={most} level="fine" label={`${page}: ${number(views)} views`} /> },
    { key: "views", label: "Views", number: true, value: ({ views }) => views, show: ({ views }) => number(views) },
  ];
  const search = choices.value.search.toLowerCase();
  return <Table caption="Pages" columns={columns} rows={data.pages.filter(({ page }) => page.toLowerCase().includes(search))} id={({ page }) => page} sorted={{ key: "views", down: true }} />;
}

export default {
  id: "pages", title: "Pages", part: "People", state, Body,
  defines: [{ name: "Views", path: "pages", means: "How often a path was looked at, without its query." }],
};
