import { findExact, findInFolder, findLoosely, joinWithin } from "./find-declaration.ts";
import type { PackageOutline, ResolutionMode } from "./outline.ts";
import { type Conditions, resolveExports } from "./resolve-exports.ts";
import { mapByVersion } from "./types-versions.ts";

/** As a bundler's resolution sees it and as Node's does: what either finds is served. */
const conditionSets: Record<ResolutionMode, Conditions[]> = {
  import: [new Set(["types", "import"]), new Set(["types", "import", "node"])],
  require: [new Set(["types", "require"]), new Set(["types", "require", "node"])],
};

export interface PackageQuery {
  /** Where in the outline the package is: "" unless it is packed inside another. */
  folder: string;
  /** "" or `/sub/path`. */
  subpath: string;
  modes: readonly ResolutionMode[];
}

/** The declarations that a package offers at a path: none, one, or one for each way to resolve it. Nothing outside the package is ever found. */
export function findInPackage(outline: PackageOutline, { folder, subpath, modes }: PackageQuery): string[] {
  const manifest = outline.manifests.get(folder);
  if (manifest?.exports !== undefined && manifest.exports !== null) {
    const found = modes
      .flatMap((mode) => conditionSets[mode])
      .map((conditions) =>
        resolveExports(manifest.exports, `.${subpath}`, conditions, (target) => findTarget(outline, folder, target)),
      );
    return distinct(found);
  }
  if (subpath === "") return distinct([findInFolder(outline, folder)]);
  const loosely = (path: string) => {
    const joined = joinWithin(folder, path);
    return joined === undefined ? undefined : findLoosely(outline, joined);
  };
  return distinct([mapByVersion(manifest?.typesVersions, subpath.slice(1), loosely) ?? loosely(subpath)]);
}

/** `#name` of the package whose folder this is: files of its own, and other packages' specifiers. */
export function findImports(
  outline: PackageOutline,
  { folder, subpath, modes }: PackageQuery,
): { files: string[]; specifiers: string[] } {
  const imports = outline.manifests.get(folder)?.imports;
  const specifiers: string[] = [];
  const found = modes
    .flatMap((mode) => conditionSets[mode])
    .map((conditions) =>
      resolveExports(imports, subpath, conditions, (target) => {
        if (target.startsWith(".")) return findTarget(outline, folder, target);
        specifiers.push(target);
        return "";
      }),
    );
  return { files: distinct(found), specifiers: [...new Set(specifiers)] };
}

/** Whether it has `exports`, and these offer nothing at a path whoever asks. */
export function isNotExported(outline: PackageOutline, subpath: string): boolean {
  const exports = outline.manifests.get("")?.exports;
  if (exports === undefined || exports === null) return false;
  const anyone = { has: () => true } as unknown as Conditions;
  return resolveExports(exports, `.${subpath}`, anyone, (target) => target) === undefined;
}

/** Only what Node takes for a target: below the package, with no way out of it. */
function findTarget(outline: PackageOutline, folder: string, target: string): string | undefined {
  if (!target.startsWith("./") || /(?:^|\/)(?:\.\.?|node_modules)(?:\/|$)/.test(target.slice(2)) || target.includes("\\"))
    return undefined;
  const path = joinWithin(folder, target);
  return path === undefined ? undefined : findExact(outline, path);
}

const distinct = (found: readonly (string | undefined)[]): string[] =>
  [...new Set(found.filter((path) => path !== undefined && path !== ""))] as string[];
