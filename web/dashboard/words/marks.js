// Deployments as marks in charts. Pure.

const SHOWN = ["ready", "promoted", "rolled_back"];

/** @returns {{at: number, label: string}[]} seconds since 1970 */
export function marks({ deployments = [], releases = [] }) {
  const deployed = deployments
    .filter(({ event }) => SHOWN.includes(event))
    .map(({ at, event, commit, deployment }) => ({
      at: new Date(at) / 1000,
      label: `Deployment ${commit?.slice(0, 7) ?? deployment.slice(0, 12)}${event.startsWith("rolled") ? " rolled back" : ""}`,
    }));
  if (deployed.length > 0) return deployed;
  // Where the platform tells nothing, the first sign of a version stands for it.
  return releases.map(({ release, firstSeen }) => ({ at: new Date(firstSeen) / 1000, label: `Version ${release}` }));
}
