import type { BlobKey, PlacedTypes } from "../contract/index.ts";
import { isDeclaration } from "./cut-types.ts";
import type { Place } from "./layout.ts";
import { folderOf, type PackageOutline, placeOf, type Reference } from "./outline.ts";
import type { Resolver, Target } from "./resolver.ts";
import { foldersOfOtherVersions } from "./types-versions.ts";

export interface CollectionLimits {
  files: number;
  bytes: number;
}

/** Files that are served, and what they refer to, first come first. */
export interface Collection {
  add(target: Target): void;
  /** All declarations of a package, with what is packed inside it left to references. */
  addAll(place: Place): void;
  /** Follows references for a while. "unknown": there are more, or something has to be loaded first; call it again. */
  run(): undefined | "unknown";
  isCutOff(): boolean;
  read(describe: (place: Place) => { path: string; package: string; bundle: BlobKey }): {
    packages: PlacedTypes[];
    libs: string[];
    missing: string[];
    totals: { packages: number; files: number; bytes: number };
  };
}

/** References that are followed without letting anybody else have a turn. */
const perTurn = 2000;

export function createCollection({ resolver, limits }: { resolver: Resolver; limits: CollectionLimits }): Collection {
  const chosen = new Map<Place, Set<string>>();
  const libs = new Set<string>();
  const missing = new Set<string>();
  const totals = { files: 0, bytes: 0 };
  let waiting: { from: Target; reference: Reference }[] = [];
  let cutOff = false;

  const outlineOf = (place: Place): PackageOutline => {
    const outline = resolver.outlineOf(place);
    if (outline === undefined || outline === "unknown") throw new Error(`${place.path} was resolved but not loaded`);
    return outline;
  };

  /** False: it was there already, or there is no room. */
  const choose = (place: Place, path: string, outline: PackageOutline): boolean => {
    const files = chosen.get(place) ?? new Set();
    if (files.has(path)) return false;
    const bytes = outline.sizes[placeOf(outline, path)] ?? 0;
    if (totals.files + 1 > limits.files || totals.bytes + bytes > limits.bytes) {
      cutOff = true;
      return false;
    }
    chosen.set(place, files.add(path));
    totals.files += 1;
    totals.bytes += bytes;
    return true;
  };

  const add = ({ place, path }: Target) => {
    if (chosen.get(place)?.has(path)) return;
    const outline = outlineOf(place);
    if (outline.truncated) cutOff = true;
    // What says which module format a file has comes with it.
    for (let folder = folderOf(path); ; folder = folderOf(folder)) {
      const manifest = folder === "" ? "package.json" : `${folder}/package.json`;
      if (outline.files.has(manifest)) choose(place, manifest, outline);
      if (folder === "") break;
    }
    if (!choose(place, path, outline)) return;
    for (const reference of outline.references[placeOf(outline, path)] ?? []) {
      if (reference[0] === "lib") libs.add(reference[1].toLowerCase());
      else waiting.push({ from: { place, path }, reference });
    }
  };

  return {
    add,
    addAll(place) {
      const outline = outlineOf(place);
      const skipped = foldersOfOtherVersions(outline.manifests.get("")?.typesVersions);
      for (const path of outline.files.keys()) {
        if (!isDeclaration(path) || path.includes("node_modules/") || skipped.some((folder) => path.startsWith(folder))) continue;
        add({ place, path });
      }
    },
    run() {
      const turn = waiting.slice(0, perTurn);
      waiting = waiting.slice(perTurn);
      const deferred: typeof waiting = [];
      for (const next of turn) {
        const found = resolver.follow(next.from, next.reference);
        if (found === "unknown") {
          deferred.push(next);
          continue;
        }
        if (found.missing !== undefined) missing.add(found.missing);
        for (const target of found.targets) add(target);
      }
      waiting = [...deferred, ...waiting];
      return waiting.length > 0 ? "unknown" : undefined;
    },
    isCutOff: () => cutOff,
    read(describe) {
      const packages = [...chosen]
        .map(([place, files]) => ({ ...describe(place), files: [...files].sort() }))
        .sort((a, b) => (a.path < b.path ? -1 : 1));
      return {
        packages,
        libs: [...libs].sort(),
        missing: [...missing].sort(),
        totals: { packages: packages.length, ...totals },
      };
    },
  };
}
