// A document in which all is well, for tests that change what they are about.

const NOW = new Date("2026-11-30T12:00:00Z").getTime();

export const now = NOW;

/** So many minutes before now. */
export function before(minutes) {
  return new Date(NOW - minutes * 60_000).toISOString();
}

export function document(changed = {}) {
  const well = (responseTime) => ({ status: "healthy", responseTime, errorRate: null, uptime: 100, lastCheck: before(1), reason: null, check: null });
  return {
    systemHealth: { overall: "healthy", services: { app: well(40), database: well(5) }, lastUpdated: before(1) },
    incidents: [], alerts: { activeAlerts: 0, criticalAlerts: 0, recentAlerts: [] }, onCall: [], jobs: [], clocks: [], deployments: [], releases: [],
    issues: { open: 0, new: 0, regressed: 0, latest: [] }, outbox: { dead: [] }, audit: { clean: true, findings: [] },
    backups: { status: "ok", runs: [], restores: [], drills: { last: null } }, security: { accessChangedAt: null },
    ...changed,
  };
}

export function incident(changed = {}) {
  return {
    id: "0e0e0e0e-0000-4000-8000-000000000001", number: 7, title: null, severity: "critical", status: "investigating",
    startedAt: before(20), detectedAt: before(18), acknowledgedAt: null, resolvedAt: null, durationSeconds: 1200,
    openedBy: null, resolvedBy: null, rule: "app_down", subject: "https://wine.example/", affects: ["app"], alerts: 1,
    cause: { side: "supabase", by: null, evidence: [] }, beganAfter: null, impact: { users: 3, failedRequests: 9, minutesDown: 18, reports: 0 },
    ...changed,
  };
}

export function alert(changed = {}) {
  return {
    id: "0e0e0e0e-0000-4000-8000-000000000002", type: "api_slow", severity: "high", status: "firing", subject: "api", message: null,
    timestamp: before(5), resolvedAt: null, incident: null, heldBy: null, ...changed,
  };
}
