import type { PackageName } from "../contract/index.ts";
import type { LoadedTypes } from "./collect-types.ts";
import { findInFolder, findLoosely, joinWithin, scopeOf } from "./find-declaration.ts";
import { findImports, findInPackage } from "./find-in-package.ts";
import type { Layout, Place } from "./layout.ts";
import { folderOf, type PackageOutline, type Reference, type ResolutionMode } from "./outline.ts";
import { companionOf, type PackageSpecifier, parseSpecifier, runtimeOf } from "./specifier.ts";

/** A declaration file of a package at its place. */
export interface Target {
  place: Place;
  path: string;
}

export interface Resolver {
  /** What a file refers to. "unknown": first a package's outline has to be loaded. `missing`: the package that is not there. */
  follow(from: Target, reference: Reference): { targets: Target[]; missing?: string } | "unknown";
  /** From the script itself. */
  resolve(specifier: PackageSpecifier): Target[] | "unknown";
  /** As `/// <reference types>` at the top would. */
  resolveTypes(name: string): Target[] | "unknown";
  /** `undefined`: it has none that can be read now. */
  outlineOf(place: Place): PackageOutline | undefined | "unknown";
  /** The places whose outlines were asked for since the last call and are not known. */
  takeUnknown(): Place[];
}

interface Options {
  layout: Layout;
  loadedOf(place: Place): LoadedTypes | undefined;
}

interface Search extends PackageSpecifier {
  modes: readonly ResolutionMode[];
}

const both: readonly ResolutionMode[] = ["import", "require"];

/** Resolves as TypeScript does on the files as they are placed: upwards through `node_modules`, at each level the package first and its companion second. */
export function createResolver({ layout, loadedOf }: Options): Resolver {
  const unknown = new Set<Place>();

  const outlineOf: Resolver["outlineOf"] = (place) => {
    const loaded = loadedOf(place);
    if (loaded?.kind === "ready") return loaded.outline;
    if (loaded !== undefined) return undefined;
    unknown.add(place);
    return "unknown";
  };

  /** In one `node_modules`. */
  const searchLevel = (level: ReadonlyMap<PackageName, Place>, search: Search): Target[] | "unknown" => {
    for (const name of new Set([search.name, companionOf(search.name)])) {
      const place = level.get(name);
      if (place === undefined) continue;
      const outline = outlineOf(place);
      if (outline === "unknown") return "unknown";
      if (outline === undefined) continue;
      const found = findInPackage(outline, { folder: "", subpath: search.subpath, modes: search.modes });
      if (found.length > 0) return found.map((path) => ({ place, path }));
    }
    return [];
  };

  /** In what a package packed inside itself. */
  const searchPacked = ({ place, path }: Target, outline: PackageOutline, search: Search): Target[] => {
    for (let folder = folderOf(path); ; folder = folderOf(folder)) {
      for (const name of new Set([search.name, companionOf(search.name)])) {
        const packed = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
        const found = findInPackage(outline, { folder: packed, subpath: search.subpath, modes: search.modes });
        if (found.length > 0) return found.map((file) => ({ place, path: file }));
      }
      if (folder === "") return [];
    }
  };

  const searchUp = (from: Target | undefined, search: Search): { targets: Target[]; exists: boolean } | "unknown" => {
    if (from) {
      const outline = outlineOf(from.place);
      if (outline === "unknown") return "unknown";
      const packed = outline && hasPacked(outline) ? searchPacked(from, outline, search) : [];
      if (packed.length > 0) return { targets: packed, exists: true };
      layout.settle(from.place);
    }
    let exists = false;
    for (let at = from?.place; ; at = at?.parent) {
      const level = at?.inner ?? layout.top;
      exists ||= level.has(search.name) || level.has(companionOf(search.name));
      const targets = searchLevel(level, search);
      if (targets === "unknown") return "unknown";
      if (targets.length > 0 || at === undefined) return { targets, exists };
    }
  };

  const followTypes = (from: Target | undefined, name: string, modes: readonly ResolutionMode[]) => {
    const parsed = parseSpecifier(name);
    if (parsed === undefined) return { targets: [] };
    const search = { ...parsed, modes };
    const companion = companionOf(parsed.name);
    // What is at the top counts first, for this kind alone.
    const primary = searchLevel(layout.top, { ...search, name: companion });
    if (primary === "unknown") return primary;
    if (primary.length > 0) return { targets: primary };
    const found = searchUp(from, search);
    if (found === "unknown") return found;
    return found.targets.length > 0 || found.exists ? { targets: found.targets } : { targets: [], missing: companion };
  };

  const followRelative = ({ place, path }: Target, name: string): Target[] | "unknown" => {
    const outline = outlineOf(place);
    if (outline === "unknown" || outline === undefined) return outline ?? [];
    const joined = joinWithin(folderOf(path), name);
    if (joined === undefined) return [];
    const isFolder = joined === "" || /(?:^|\/)\.{0,2}$/.test(name);
    const found = (isFolder ? findInFolder(outline, joined) : undefined) ?? findLoosely(outline, joined);
    return found === undefined ? [] : [{ place, path: found }];
  };

  const followBare = (from: Target, name: string, modes: readonly ResolutionMode[]) => {
    const runtime = runtimeOf(name);
    if (runtime) return followTypes(from, runtime, modes);
    const parsed = parseSpecifier(name);
    if (parsed === undefined) return { targets: [] };
    const found = searchUp(from, { ...parsed, modes });
    if (found === "unknown") return found;
    return found.exists ? { targets: found.targets } : { targets: [], missing: parsed.name };
  };

  const followOwn = (from: Target, name: string, modes: readonly ResolutionMode[]) => {
    const outline = outlineOf(from.place);
    if (outline === "unknown") return outline;
    const scope = outline && scopeOf(outline, from.path);
    if (outline === undefined || scope === undefined) return { targets: [] };
    const { files, specifiers } = findImports(outline, { folder: scope.folder, subpath: name, modes });
    const targets = files.map((path) => ({ place: from.place, path }));
    for (const specifier of specifiers) {
      if (specifier.startsWith("#")) continue;
      const found = followBare(from, specifier, modes);
      if (found === "unknown") return found;
      targets.push(...found.targets);
    }
    return { targets };
  };

  const modesOf = ({ place, path }: Target, [kind, , mode]: Reference): readonly ResolutionMode[] => {
    if (mode) return [mode];
    if (kind === "require") return ["require"];
    const outline = outlineOf(place);
    return outline !== "unknown" && outline && isCommonJs(outline, path) ? both : ["import"];
  };

  return {
    outlineOf,
    follow(from, reference) {
      const [kind, name] = reference;
      if (kind === "lib") return { targets: [] };
      if (kind === "path" || /^\.{1,2}(?:\/|$)/.test(name)) {
        const targets = followRelative(from, name);
        return targets === "unknown" ? targets : { targets };
      }
      const modes = modesOf(from, reference);
      if (kind === "types") return followTypes(from, name, modes);
      return name.startsWith("#") ? followOwn(from, name, modes) : followBare(from, name, modes);
    },
    resolve(specifier) {
      const found = searchUp(undefined, { ...specifier, modes: ["import"] });
      return found === "unknown" ? found : found.targets;
    },
    resolveTypes(name) {
      const found = followTypes(undefined, name, ["import"]);
      return found === "unknown" ? found : found.targets;
    },
    takeUnknown() {
      const taken = [...unknown];
      unknown.clear();
      return taken;
    },
  };
}

/** Where an import also means `require`, for those who resolve by a file's format. */
function isCommonJs(outline: PackageOutline, path: string): boolean {
  if (path.endsWith(".cts")) return true;
  return !path.endsWith(".mts") && scopeOf(outline, path)?.manifest.type !== "module";
}

const packedIn = new WeakMap<PackageOutline, boolean>();

function hasPacked(outline: PackageOutline): boolean {
  const known = packedIn.get(outline);
  if (known !== undefined) return known;
  const has = [...outline.manifests.keys()].some((folder) => /(?:^|\/)node_modules\//.test(folder));
  packedIn.set(outline, has);
  return has;
}
