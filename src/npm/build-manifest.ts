import {
  type ExactVersion,
  type Integrity,
  LarderError,
  type Manifest,
  type ManifestNode,
  manifestFormat,
  manifestSchema,
  type NodeId,
  type PackageName,
} from "../contract/index.ts";
import type { BunLock, LockPackage } from "./bun-lock.ts";
import { createLockGraph, type LockGraph } from "./lock-graph.ts";
import { mergeSites, type SiteClass } from "./merge-sites.ts";
import { nodeIds } from "./node-ids.ts";
import type { DeclaredVersion } from "./packument.ts";
import { unfoldSites } from "./peer-sites.ts";

export interface ManifestInput {
  lock: BunLock;
  allowlist: readonly { name: PackageName; version: ExactVersion }[];
  /** The SHA-512 recorded for a version. */
  integrity(name: PackageName, version: ExactVersion): Integrity;
  /** What the registry declared. Its platform names win over the lock's, which has "none" for those that Bun does not know. */
  describe(name: PackageName, version: ExactVersion): DeclaredVersion | undefined;
}

/**
 * The lock as a manifest: every edge as the lock resolves it, for all platforms, peer contexts as separate nodes, and nothing that the allowlist does not
 * lead to. Pure: the same input gives the same manifest. Throws `E_RESOLVE` or `E_LOCKFILE`, naming the package.
 */
export function buildManifest(input: ManifestInput): Manifest {
  const graph = createLockGraph(input.lock);
  const pins = [...input.allowlist].sort((a, b) => (a.name < b.name ? -1 : 1));
  const unfolded = unfoldSites(
    graph,
    pins.map((pin) => pinnedEntry(graph, pin)),
  );
  const { classes, classOf } = mergeSites(unfolded.sites);
  const roots = new Map(pins.map(({ name }, i) => [name, classOf(unfolded.roots[i] as (typeof unfolded.roots)[number])]));
  const ids = nodeIds(classes, roots, classOf);
  const idOf = (member: SiteClass) => ids.get(member) as NodeId;
  const nodes = classes.map((member) => [idOf(member), manifestNode(member, idOf, input)] as const);
  return manifestSchema.parse({
    format: manifestFormat,
    roots: Object.fromEntries([...roots].map(([name, member]) => [name, idOf(member)])),
    nodes: Object.fromEntries(nodes.sort(([a], [b]) => (a < b ? -1 : 1))),
  });
}

function pinnedEntry(graph: LockGraph, { name, version }: { name: PackageName; version: ExactVersion }): LockPackage {
  const entry = graph.top(name);
  if (entry?.name === name && entry.version === version) return entry;
  const found = entry ? `${entry.name}@${entry.version}` : "nothing";
  throw new LarderError("E_RESOLVE", `${name}@${version} is on the allowlist, but the resolver put ${found} in its place.`, {
    hint: "This is a fault of Larder or of its resolver. Please report it with the package list.",
    details: { package: `${name}@${version}` },
  });
}

function manifestNode(member: SiteClass, idOf: (member: SiteClass) => NodeId, input: ManifestInput): ManifestNode {
  const { name, version, os, cpu, libc, integrity, hasInstallScript } = (member.sites[0] as SiteClass["sites"][number]).node
    .entry;
  assertHasIntegrity(name, version, integrity);
  const declared = input.describe(name, version);
  const optional = member.edges.filter((edge) => edge.optional).map(({ alias }) => alias as PackageName);
  return {
    name,
    version,
    integrity: input.integrity(name, version),
    dependencies: Object.fromEntries(member.edges.map(({ alias, to }) => [alias, idOf(to)])),
    optional: optional.length > 0 ? optional : undefined,
    os: declared?.os ?? os,
    cpu: declared?.cpu ?? cpu,
    libc: declared?.libc ?? libc,
    unpackedBytes: declared?.unpackedBytes,
    fileCount: declared?.fileCount,
    hasInstallScript: (declared ? declared.hasInstallScript : hasInstallScript) ? true : undefined,
  };
}

function assertHasIntegrity(name: PackageName, version: ExactVersion, integrity: string): void {
  if (/^sha(?:512|384|256|1)-[A-Za-z0-9+/]+={0,2}/.test(integrity)) return;
  throw new LarderError("E_RESOLVE", `The registry declares no integrity for ${name}@${version}.`, {
    hint: "Larder serves only what it can check. Use another version, or a registry that states a hash for each tarball.",
    details: { package: `${name}@${version}` },
  });
}
