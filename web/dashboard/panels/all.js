// Every panel, in the order of the page. A new one is a file here and a line in this list.

import { openIncidents } from "../words/headline.js";
import alerts from "./alerts.jsx";
import auditLog from "./audit-log.jsx";
import audit from "./audit.jsx";
import backups from "./backups.jsx";
import business from "./business.jsx";
import clocks from "./clocks.jsx";
import dataQuality from "./data-quality.jsx";
import database from "./database.jsx";
import dependencies from "./dependencies.jsx";
import door from "./door.jsx";
import endpoints from "./endpoints.jsx";
import features from "./features.jsx";
import feedback from "./feedback.jsx";
import funnels from "./funnels.jsx";
import incidents from "./incidents.jsx";
import issues from "./issues.jsx";
import jobs from "./jobs.jsx";
import measurements from "./measurements.jsx";
import messages from "./messages.jsx";
import objectives from "./objectives.jsx";
import onCall from "./on-call.jsx";
import pages from "./pages.jsx";
import people from "./people.jsx";
import production from "./production.jsx";
import providerBackups from "./provider-backups.jsx";
import releases from "./releases.jsx";
import resources from "./resources.jsx";
import responseTimes from "./response-times.jsx";
import retention from "./retention.jsx";
import security from "./security.jsx";
import services from "./services.jsx";
import traffic from "./traffic.jsx";
import vitals from "./vitals.jsx";

/**
 * A panel of the page.
 * @typedef {object} Panel
 * @property {string} id also its place in the address, `#id`
 * @property {string} title
 * @property {string} part the heading that it stands under
 * @property {boolean} [wide] whether it takes the whole width
 * @property {(data: object) => boolean} [isFor] whether it is for whoever looks; for everybody without
 * @property {(data: object) => {level: "fine" | "watch" | "bad" | "unknown" | "empty", says: string}} state
 * @property {import("preact").FunctionComponent<{data: object}>} Body
 * @property {{name: string, path: string, means: string, rule?: string}[]} defines what its
 *   numbers mean, where each stands in the document, and which alert is about it
 */

/** @type {Panel[]} */
export const PANELS = [
  services, incidents, alerts, objectives,
  traffic, responseTimes, endpoints, dependencies, production, releases,
  issues, feedback,
  backups, providerBackups,
  people, vitals, pages, features, funnels, measurements, business,
  jobs, clocks, messages, audit, dataQuality, onCall, door,
  database, resources, retention, security, auditLog,
];

/** The panels in the order of the page: what people work on comes first while there is any. */
export function arranged(data) {
  const shown = PANELS.filter(({ isFor }) => !isFor || isFor(data));
  if (openIncidents(data).length === 0) return shown;
  return [incidents, ...shown.filter((panel) => panel !== incidents)];
}

/** The headings, in order. */
export const PARTS = [...new Set(PANELS.map(({ part }) => part))];
