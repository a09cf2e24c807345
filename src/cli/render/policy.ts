import { type CapLimit, type Caps, capNames, type EnvironmentPolicy } from "../../contract/index.ts";
import type { Page } from "../command.ts";
import { renderFacts } from "./facts.ts";
import { formatAgo, formatBytes, formatDuration } from "./quantity.ts";

const words: Record<keyof Caps, string> = {
  packedBytes: "tarballs",
  unpackedBytes: "unpacked",
  files: "files",
  nodes: "packages",
};
const does = { allow: "allowed", flag: "allowed, and pointed out", refuse: "refused" };

export function renderPolicy({ environment, policy, updatedAt, updatedBy }: EnvironmentPolicy, page: Page): string {
  const { minReleaseAgeMs, deprecated, installScripts, blocked, caps, knownExtensions, extensions } = policy;
  const facts: [string, string | undefined][] = [
    ["Environment", environment],
    ["Changed", updatedAt === undefined ? "never: this is the default" : `${formatAgo(updatedAt)} by ${updatedBy}`],
    ["Release age", minReleaseAgeMs === 0 ? "any" : `at least ${formatDuration(minReleaseAgeMs)}`],
    ["Deprecated", does[deprecated]],
    ["Install scripts", `${does[installScripts]} (Larder never runs them)`],
    ["Not in a registry", "refused: git, addresses, files, workspaces"],
    [
      "Blocked",
      blocked.map(({ name, range, reason }) => `${name}@${range}${reason === undefined ? "" : ` (${reason})`}`).join("\n") ||
        "nothing",
    ],
    ["Caps", capNames.map((cap) => renderCap(cap, caps[cap])).join("\n")],
    ["Undeclared", `known dependencies are ${knownExtensions ? "" : "not "}added`],
    [
      "Own extensions",
      extensions
        .map(({ name, range, dependencies, peerDependencies }) => {
          const added = Object.entries({ ...dependencies, ...peerDependencies }).map((entry) => entry.join("@"));
          return `${name}@${range}: ${added.join(", ")}`;
        })
        .join("\n") || undefined,
    ],
  ];
  return renderFacts(facts, page);
}

function renderCap(cap: keyof Caps, { warn, block }: CapLimit): string {
  const amount = (n: number | null) => (n === null ? "never" : `above ${cap.endsWith("Bytes") ? formatBytes(n) : n}`);
  return `${words[cap]}: warn ${amount(warn)}, refuse ${amount(block)}`;
}
