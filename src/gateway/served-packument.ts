import type { AddedDependency, ExactVersion, Finding } from "../contract/index.ts";
import { highestVersion, type Packument, type PackumentVersion } from "../npm/index.ts";
import { exoticDependency, withoutExotic } from "./exotic.ts";
import { exoticFinding } from "./explain-rule.ts";
import { createResolverDocument, type ResolverDocument } from "./resolver-document.ts";
import { type Ruleset, releasesOf } from "./ruleset.ts";

/** A packument as the resolver gets to see it. */
export interface ServedPackument {
  packument: Packument;
  /** Host of the registry that it is from. */
  registry: string;
  /** Versions that it may choose. */
  versions: Set<ExactVersion>;
  /** The others, each with what speaks against it. */
  hidden: Map<ExactVersion, Finding[]>;
  /** Made when it is asked for; the same object for as long as a packument is kept and the same of it is hidden and added. */
  document(): ResolverDocument;
}

/** Without rules, only what leads out of the registry is hidden. */
export function servePackument(packument: Packument, registry: string, ruleset: Ruleset | undefined): ServedPackument {
  const basis = { registry, ruleset };
  const known = recall(packument, basis);
  if (known) return known;
  const hidden = new Map<ExactVersion, Finding[]>();
  const offered: PackumentVersion[] = [];
  const refusals = createRefusals(packument, basis);
  for (const version of Object.values(packument.versions)) {
    const findings = refusals(version);
    if (findings.length > 0) hidden.set(version.version, findings);
    else offered.push(version);
  }
  const versions = new Set(offered.map(({ version }) => version));
  let document: ResolverDocument | undefined;
  const served: ServedPackument = {
    packument,
    registry,
    versions,
    hidden,
    document() {
      document ??= documentOf({ packument, offered, versions, hidden, ruleset });
      return document;
    },
  };
  if (ruleset) judged.set(packument, { key: ruleset.key, now: ruleset.rules.now, served });
  return served;
}

/** The latest of each: judging tens of thousands of versions takes long, and most plans ask what the one before asked. */
const judged = new WeakMap<Packument, { key: string; now: number; served: ServedPackument }>();

/** What one rule set allows it goes on allowing as time passes: only what was hidden is judged again. */
function recall(packument: Packument, basis: Basis): ServedPackument | undefined {
  const { registry, ruleset } = basis;
  const known = judged.get(packument);
  if (known === undefined || ruleset === undefined) return undefined;
  if (known.key !== ruleset.key || known.served.registry !== registry || ruleset.rules.now < known.now) return undefined;
  const { served } = known;
  if (served.hidden.size === 0) return served;
  const hidden = new Map<ExactVersion, Finding[]>();
  const refusals = createRefusals(packument, basis);
  for (const version of served.hidden.keys()) {
    const findings = refusals(packument.versions[version] as PackumentVersion);
    if (findings.length === 0) return undefined;
    hidden.set(version, findings);
  }
  return { ...served, hidden };
}

interface Offer extends Pick<ServedPackument, "packument" | "versions" | "hidden"> {
  offered: readonly PackumentVersion[];
  ruleset: Ruleset | undefined;
}

/** The large ones take long to write: one is kept for each packument. */
const documents = new WeakMap<Packument, { key: string; document: ResolverDocument }>();

function documentOf({ packument, offered, versions, hidden, ruleset }: Offer): ResolverDocument {
  const added = offered.map((version) => addedTo(version, ruleset));
  const key = JSON.stringify([[...hidden.keys()], added.flat()]);
  const known = documents.get(packument);
  if (known?.key === key) return known.document;
  const content = {
    name: packument.name,
    "dist-tags": repairedTags(packument["dist-tags"], versions),
    versions: Object.fromEntries(offered.map((version, at) => [version.version, forResolver(version, added[at] ?? [])])),
  };
  const declared = () => offered.map(({ dist, hasInstallScript }) => [dist.unpackedSize, dist.fileCount, hasInstallScript]);
  const document = createResolverDocument(content, declared);
  documents.set(packument, { key, document });
  return document;
}

const addedTo = (version: PackumentVersion, ruleset: Ruleset | undefined): AddedDependency[] =>
  ruleset?.extend(version.name, version.version, version) ?? [];

interface Basis {
  registry: string;
  ruleset: Ruleset | undefined;
}

function createRefusals(packument: Packument, { registry, ruleset }: Basis): (version: PackumentVersion) => Finding[] {
  if (ruleset) {
    const releaseOf = releasesOf(packument, registry);
    return (version) => ruleset.judge(releaseOf(version)).refusals;
  }
  return (version) => {
    const exotic = exoticDependency(version);
    return exotic ? [exoticFinding(version, exotic)] : [];
  };
}

/**
 * Without the tarball's address the resolver takes it to be at the registry that it talks to, which is the gateway; and the document is the same for every
 * gateway. What it does not read (the name and the version again, SHA-1 beside SHA-512) would be a quarter of the document.
 */
function forResolver(declared: PackumentVersion, added: readonly AddedDependency[]): object {
  const { os, cpu, libc, bundleDependencies } = declared;
  const { integrity, shasum } = declared.dist;
  const dependencies = added.filter(({ kind }) => kind === "dependency").map(({ dependency, range }) => [dependency, range]);
  const peers = added.filter(({ kind }) => kind === "peer");
  const optionalPeers = peers.map(({ dependency }) => [dependency, { optional: true }]);
  return {
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
    dist: integrity?.includes("sha512-") ? { integrity } : { integrity, shasum },
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
