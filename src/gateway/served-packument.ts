import type { ExactVersion, PackageName } from "../contract/index.ts";
import { type DeclaredVersion, declaredVersion, highestVersion, type Packument, type PackumentVersion } from "../npm/index.ts";
import { exoticDependency, withoutExotic } from "./exotic.ts";

/** Which versions policy lets the resolver choose from. */
export type AllowsVersion = (name: PackageName, version: ExactVersion, declared: DeclaredVersion) => boolean;

/** A packument as the resolver gets to see it. */
export interface ServedPackument {
  packument: Packument;
  /** Versions that it may choose. */
  versions: Set<ExactVersion>;
  /** JSON, made when it is first asked for. */
  document(): Uint8Array;
}

export function servePackument(packument: Packument, allows: AllowsVersion | undefined): ServedPackument {
  const offered = Object.values(packument.versions).filter((version) => isOffered(packument, version, allows));
  const versions = new Set(offered.map(({ version }) => version));
  let document: Uint8Array | undefined;
  return {
    packument,
    versions,
    document() {
      document ??= new TextEncoder().encode(
        JSON.stringify({
          name: packument.name,
          "dist-tags": repairedTags(packument["dist-tags"], versions),
          versions: Object.fromEntries(offered.map((version) => [version.version, forResolver(version)])),
        }),
      );
      return document;
    },
  };
}

function isOffered(packument: Packument, version: PackumentVersion, allows: AllowsVersion | undefined): boolean {
  if (exoticDependency(version)) return false;
  if (allows === undefined) return true;
  const declared = declaredVersion(packument, version.version);
  return declared !== undefined && allows(packument.name, version.version, declared);
}

/**
 * Without the tarball's address the resolver takes it to be at the registry that it talks to, which is the gateway; and the document is the same for every
 * gateway.
 */
function forResolver(declared: PackumentVersion): object {
  const { name, version, os, cpu, libc, bundleDependencies, peerDependenciesMeta } = declared;
  const { integrity, shasum } = declared.dist;
  return {
    name,
    version,
    dependencies: withoutExotic(declared.dependencies),
    optionalDependencies: withoutExotic(declared.optionalDependencies),
    peerDependencies: withoutExotic(declared.peerDependencies),
    peerDependenciesMeta,
    bundleDependencies,
    os,
    cpu,
    libc,
    dist: { integrity, shasum },
  };
}

/** Tags keep pointing at something: one whose version was refused moves to the highest that was not. */
function repairedTags(tags: Record<string, string>, versions: ReadonlySet<ExactVersion>): Record<string, string> {
  const entries = Object.entries(tags);
  const isOffered = (version: string) => versions.has(version as ExactVersion);
  if (entries.every(([, version]) => isOffered(version))) return tags;
  const highest = highestVersion(versions);
  if (highest === undefined) return {};
  return Object.fromEntries(entries.map(([tag, version]) => [tag, isOffered(version) ? version : highest]));
}
