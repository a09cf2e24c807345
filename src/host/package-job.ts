import { contentPath, packagePath, recordName, type StoreLayout, siblingPath, siblingTarget } from "./layout.ts";
import type { PackageLink, PlannedPackage } from "./plan-tree.ts";
import { type PackageRecord, recordFormat } from "./record.ts";
import { incomingPath, trashPath } from "./staging.ts";

/** One package directory to make, with every path worked out: plain data, so that a thread can be given it. */
export interface PackageJob {
  /** In `incoming/`, nobody else's, not there yet. */
  directory: string;
  /** `packages/<key>`. */
  target: string;
  /** What is at `target` is damaged, and goes to this place in `trash/` when the new one is complete. */
  replaced: string | undefined;
  /** Below `directory`: where the files go. */
  content: string;
  /** The file beside the content that says what there is, and its beginning. */
  recordName: string;
  record: Omit<PackageRecord, "links" | "files">;
  links: JobLink[];
}

export interface JobLink extends PackageLink {
  /** Below `directory`. */
  place: string;
  text: string;
  /** Not made when the tarball has files below this path. */
  unless: string | undefined;
}

export function planPackageJob(
  layout: StoreLayout,
  planned: PlannedPackage,
  { bootId, replace }: { bootId: string; replace: boolean },
): PackageJob {
  const { key, name, version, integrity } = planned;
  return {
    directory: incomingPath(layout),
    target: packagePath(layout, key),
    replaced: replace ? trashPath(layout, packagePath(layout, key)) : undefined,
    content: contentPath(name),
    recordName,
    record: { format: recordFormat, name, version, integrity, bootId },
    links: planned.links.map((link) => {
      const place = siblingPath(name, link.alias);
      const text = siblingTarget(place, link.key, link.name);
      // Beside the package there is only what we link; within it there may be a bundled package of that name.
      return { ...link, place, text, unless: link.alias === name ? `${contentPath(link.alias)}/` : undefined };
    }),
  };
}
