// A table that sorts, shows ten rows and all of them on demand; a row opens in place.

import { useState } from "preact/hooks";
import { ordered } from "./order.js";

const FEW = 10;

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {(row: any) => any} value what is sorted by
 * @property {(row: any) => any} [show] what is shown
 * @property {boolean} [number]
 * @property {boolean} [minor] not shown on a narrow screen
 * @property {boolean} [wide] takes what room there is
 */

/**
 * @param {object} props
 * @param {string} props.caption
 * @param {Column[]} props.columns
 * @param {any[]} props.rows
 * @param {(row: any) => string | number} props.id
 * @param {{key: string, down: boolean}} [props.sorted]
 * @param {(row: any) => any} [props.open] what is beneath a row
 */
export function Table({ caption, columns, rows, id, sorted = null, open = null }) {
  const [order, setOrder] = useState(sorted);
  const [all, setAll] = useState(false);
  const [opened, setOpened] = useState(null);
  const by = order && columns.find(({ key }) => key === order.key);
  const found = by ? ordered(rows, by.value, order.down) : rows;
  const shown = all ? found : found.slice(0, FEW);
  const turn = (column) => setOrder({ key: column.key, down: order?.key === column.key ? !order.down : Boolean(column.number) });
  return (
    <div class="table">
      <div class="scroll">
        <table>
          <caption class="unseen">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.key} scope="col" class={kind(column)} aria-sort={order?.key !== column.key ? undefined : order.down ? "descending" : "ascending"}>
                  <button type="button" class="sort" onClick={() => turn(column)}>
                    {column.label}<span class="arrow" aria-hidden="true">{order?.key === column.key ? (order.down ? "↓" : "↑") : ""}</span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => {
              const key = id(row);
              const more = opened === key && open ? open(row) : null;
              return [
                <tr key={key} class={more ? "opened" : undefined}>
                  {columns.map((column, nth) => (
                    <Cell key={column.key} column={column} row={row} opens={nth === 0 && open ? { is: opened === key, turn: () => setOpened(opened === key ? null : key) } : null} />
                  ))}
                </tr>,
                more && <tr key={`${key}+`} class="more"><td colSpan={columns.length}>{more}</td></tr>,
              ];
            })}
          </tbody>
        </table>
      </div>
      {found.length > FEW && (
        <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>{all ? `Only ${FEW}` : `All ${found.length}`}</button>
      )}
    </div>
  );
}

function Cell({ column, row, opens }) {
  const content = (column.show ?? column.value)(row);
  return (
    <td class={kind(column)}>
      {opens ? <button type="button" class="opens" aria-expanded={opens.is} onClick={opens.turn}>{content}</button> : content}
    </td>
  );
}

function kind({ number, minor, wide }) {
  return [number && "num", minor && "minor", wide && "wide"].filter(Boolean).join(" ") || undefined;
}
