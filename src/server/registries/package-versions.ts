import type { ExactVersion, PackageVersions } from "../../contract/index.ts";
import { type Packument, sortVersions } from "../../npm/index.ts";
import { timestampOf } from "./timestamp-of.ts";

/** A packument as a list to choose from, the highest version first. */
export function describeVersions(packument: Packument, registry: string): PackageVersions {
  const { name, description, versions, time } = packument;
  const distTags = Object.entries(packument["dist-tags"]).filter(([, version]) => Object.hasOwn(versions, version));
  const tagsOf = Map.groupBy(distTags, ([, version]) => version);
  const sorted = sortVersions(Object.keys(versions) as ExactVersion[]).toReversed();
  return {
    name,
    registry,
    ...(description && { description }),
    distTags: Object.fromEntries(distTags),
    total: sorted.length,
    versions: sorted.map((version) => {
      const { dist, license, deprecated, hasInstallScript } = versions[version]!;
      const publishedAt = timestampOf(time?.[version]);
      return {
        version,
        tags: (tagsOf.get(version) ?? []).map(([tag]) => tag),
        ...(publishedAt && { publishedAt }),
        ...(dist.unpackedSize !== undefined && { unpackedBytes: dist.unpackedSize }),
        ...(dist.fileCount !== undefined && { fileCount: dist.fileCount }),
        ...(license && { license }),
        ...(deprecated && { deprecated }),
        hasInstallScript: hasInstallScript === true,
      };
    }),
  };
}
