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
 * gateway. A registry that lists an optional dependency under `dependencies` too must not make it required again.
 */
function forResolver({ deprecated: _, hasInstallScript: __, dist, ...version }: PackumentVersion): object {
  const { integrity, shasum } = dist;
  return {
    ...version,
    dependencies: withoutExotic(version.dependencies),
    optionalDependencies: withoutExotic(version.optionalDependencies),
    peerDependencies: withoutExotic(version.peerDependencies),
    dist: { integrity, shasum },
  };
}

/** Tags keep pointing at something: one whose version was refused moves to the highest that was not. */
function repairedTags(tags: Record<string, string>, versions: ReadonlySet<ExactVersion>): Record<string, string> {
  const highest = highestVersion(versions);
  if (highest === undefined) return {};
  return Object.fromEntries(
    Object.entries(tags).map(([tag, version]) => [tag, versions.has(version as ExactVersion) ? version : highest]),
  );
}
