import type { AddedDependency, ExactVersion, Finding } from "../contract/index.ts";
import { highestVersion, type Packument, type PackumentVersion } from "../npm/index.ts";
import { exoticDependency, withoutExotic } from "./exotic.ts";
import { exoticFinding } from "./explain-rule.ts";
import { type Ruleset, releaseOf } from "./ruleset.ts";

/** A packument as the resolver gets to see it. */
export interface ServedPackument {
  packument: Packument;
  /** Host of the registry that it is from. */
  registry: string;
  /** Versions that it may choose. */
  versions: Set<ExactVersion>;
  /** The others, each with what speaks against it. */
  hidden: Map<ExactVersion, Finding[]>;
  /** JSON, made when it is asked for. */
  document(): Uint8Array;
}

/** Without rules, only what leads out of the registry is hidden. */
export function servePackument(packument: Packument, registry: string, ruleset: Ruleset | undefined): ServedPackument {
  const hidden = new Map<ExactVersion, Finding[]>();
  const offered: PackumentVersion[] = [];
  for (const version of Object.values(packument.versions)) {
    const findings = refusalsOf(packument, version, { registry, ruleset });
    if (findings.length > 0) hidden.set(version.version, findings);
    else offered.push(version);
  }
  const versions = new Set(offered.map(({ version }) => version));
  return {
    packument,
    registry,
    versions,
    hidden,
    document() {
      const added = new Map(offered.map((version) => [version.version, addedTo(version, ruleset)] as const));
      const key = JSON.stringify([[...hidden.keys()], [...added.values()].flat()]);
      const known = documents.get(packument);
      if (known?.key === key) return known.bytes;
      const bytes = new TextEncoder().encode(
        JSON.stringify({
          name: packument.name,
          "dist-tags": repairedTags(packument["dist-tags"], versions),
          versions: Object.fromEntries(
            offered.map((version) => [version.version, forResolver(version, added.get(version.version) ?? [])]),
          ),
        }),
      );
      documents.set(packument, { key, bytes });
      return bytes;
    },
  };
}

/** The same document for as long as a packument is kept and the same of it is hidden and added: the large ones take long to write. */
const documents = new WeakMap<Packument, { key: string; bytes: Uint8Array }>();

const addedTo = (version: PackumentVersion, ruleset: Ruleset | undefined): AddedDependency[] =>
  ruleset?.extend(version.name, version.version, version) ?? [];

interface Basis {
  registry: string;
  ruleset: Ruleset | undefined;
}

function refusalsOf(packument: Packument, version: PackumentVersion, { registry, ruleset }: Basis): Finding[] {
  if (ruleset) return ruleset.judge(releaseOf(packument, version, registry)).refusals;
  const exotic = exoticDependency(version);
  return exotic ? [exoticFinding(version, exotic)] : [];
}

/**
 * Without the tarball's address the resolver takes it to be at the registry that it talks to, which is the gateway; and the document is the same for every
 * gateway.
 */
function forResolver(declared: PackumentVersion, added: readonly AddedDependency[]): object {
  const { name, version, os, cpu, libc, bundleDependencies } = declared;
  const { integrity, shasum } = declared.dist;
  const dependencies = added.filter(({ kind }) => kind === "dependency").map(({ dependency, range }) => [dependency, range]);
  const peers = added.filter(({ kind }) => kind === "peer");
  const optionalPeers = peers.map(({ dependency }) => [dependency, { optional: true }]);
  return {
    name,
    version,
    dependencies: merged(withoutExotic(declared.dependencies), dependencies),
    optionalDependencies: withoutExotic(declared.optionalDependencies),
    peerDependencies: merged(
      withoutExotic(declared.peerDependencies),
      peers.map(({ dependency, range }) => [dependency, range]),
    ),
    peerDependenciesMeta: merged(declared.peerDependenciesMeta, optionalPeers),
    bundleDependencies,
    os,
    cpu,
    libc,
    dist: { integrity, shasum },
  };
}

const merged = (record: object | undefined, more: unknown[][]): object | undefined =>
  more.length === 0 ? record : { ...record, ...Object.fromEntries(more as [string, unknown][]) };

/** Tags keep pointing at something: one whose version was refused moves to the highest that was not. */
function repairedTags(tags: Record<string, string>, versions: ReadonlySet<ExactVersion>): Record<string, string> {
  const entries = Object.entries(tags);
  const isOffered = (version: string) => versions.has(version as ExactVersion);
  if (entries.every(([, version]) => isOffered(version))) return tags;
  const highest = highestVersion(versions);
  if (highest === undefined) return {};
  return Object.fromEntries(entries.map(([tag, version]) => [tag, isOffered(version) ? version : highest]));
}
