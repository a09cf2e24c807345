import { formatPlatform } from "../../contract/for-hosts.ts";
import type { Host } from "../../contract/index.ts";
import type { Page } from "../command.ts";
import { renderFacts } from "./facts.ts";
import { stateOf } from "./hosts.ts";
import { describeProgress } from "./progress.ts";
import { formatAgo, formatBytes, shortHash } from "./quantity.ts";

/** All that is known of one host. */
export function renderHost(host: Host, page: Page): string {
  const { state, reason, since, error, freeBytes, totalBytes, sessions } = host;
  const labels = Object.entries(host.labels).map(([name, value]) => `${name}=${value}`);
  return renderFacts(
    [
      ["Host", host.id],
      ["Environment", host.environment],
      ["State", [stateOf(host).text, since && `since ${formatAgo(since)}`].filter(Boolean).join(", ")],
      ["Why", reason],
      ["Way out", state === "failing" ? error?.hint : undefined],
      ["Generation", describeGeneration(host)],
      ["Doing", host.phase === "syncing" && host.progress ? describeProgress(host.progress) : undefined],
      ["Runs", String(host.runsInFlight)],
      [
        "Disk",
        freeBytes === undefined
          ? undefined
          : `${formatBytes(freeBytes)} free${totalBytes ? ` of ${formatBytes(totalBytes)}` : ""}`,
      ],
      ["Platform", host.platform && formatPlatform(host.platform)],
      ["Agent", host.agentVersion],
      ["Seen", formatAgo(host.lastSeenAt)],
      ["Joined", `${formatAgo(host.createdAt)}${host.enrolment ? ` with ${host.enrolment}` : ""}`],
      ["Labels", labels.length > 0 ? labels.join(", ") : undefined],
      ["Key", host.keyId],
      ["Trusts", [host.trustedKeyId, host.nextKeyId && `next ${host.nextKeyId}`].filter(Boolean).join(", ") || undefined],
      ["Agents", sessions.length > 1 || state === "cloned" ? sessions.map(describeSession).join("\n") : undefined],
    ],
    page,
  );
}

function describeGeneration({ generation, wanted, lag, lockfileHash, accepted }: Host): string {
  const serves = generation === 0 ? "none yet" : `${generation}${lockfileHash ? ` · ${shortHash(lockfileHash)}` : ""}`;
  const behind = lag > 0 ? ` · ${lag} behind ${wanted}` : "";
  return `${serves}${behind}${accepted > wanted ? ` · has accepted ${accepted}` : ""}`;
}

const describeSession = ({ hostname, bootId, lastSeenAt, returns }: Host["sessions"][number]): string =>
  `${hostname ?? "unknown machine"}${bootId ? `, boot ${bootId.slice(0, 8)}` : ""}, last seen ${formatAgo(lastSeenAt)}${returns > 0 ? `, came back ${returns} times` : ""}`;
