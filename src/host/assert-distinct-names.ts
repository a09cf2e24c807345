import { LarderError, type PackageName } from "../contract/for-hosts.ts";
import type { PackageLink, TreePlan } from "./plan-tree.ts";

/** On a file system that takes `Foo` for `foo`, one of two links of such names would hide the other. Throws `E_PLATFORM` naming both. */
export function assertDistinctNames({ packages, roots }: TreePlan): void {
  assertDistinct("The allowlist", roots);
  for (const { name, version, links } of packages) assertDistinct(`${name}@${version}`, links);
}

function assertDistinct(owner: string, links: readonly PackageLink[]): void {
  const folded = new Map<string, PackageName>();
  for (const { alias } of links) {
    const other = folded.get(alias.toLowerCase());
    if (other === undefined) {
      folded.set(alias.toLowerCase(), alias);
      continue;
    }
    throw new LarderError(
      "E_PLATFORM",
      `${owner} needs both ${other} and ${alias}, which this host's file system takes for one.`,
      {
        hint: "Put the data directory on a case-sensitive file system.",
        details: { owner, names: [other, alias] },
      },
    );
  }
}
