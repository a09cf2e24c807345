import { type BlobKey, blobKeyOf, type Manifest, nodeOf, type SpecifierTypes, type TypesIndex } from "../contract/index.ts";
import { type CollectionLimits, createCollection } from "./collection.ts";
import { describeSpecifier, startAt } from "./describe-specifier.ts";
import { createLayout, type Layout, type Place } from "./layout.ts";
import type { PackageOutline } from "./outline.ts";
import { createResolver } from "./resolver.ts";

/** What is known of a blob's declarations: `pending` they are being cut, `absent` the blob itself is not here. */
export type LoadedTypes = { kind: "ready"; bundle: BlobKey; outline: PackageOutline } | { kind: "pending" } | { kind: "absent" };

export interface CollectOptions {
  manifest: Manifest;
  /** That of `manifest`, for those who ask several times. */
  layout?: Layout;
  /** Called with each key once. What is not in the answer is absent. */
  load(keys: readonly BlobKey[]): Promise<ReadonlyMap<BlobKey, LoadedTypes>>;
  limits: CollectionLimits;
}

export type CollectedTypes = Pick<TypesIndex, "final" | "specifiers" | "packages" | "libs" | "missing" | "totals" | "limit">;

/** The declarations behind `wanted`, or behind the whole allowlist, with all that they refer to. Nearest first: what a limit cuts off is what is farthest. */
export async function collectTypes(wanted: readonly string[] | "all", options: CollectOptions): Promise<CollectedTypes> {
  const { manifest, layout = createLayout(manifest), limits } = options;
  const keyOf = ({ node }: Place): BlobKey => blobKeyOf(nodeOf(manifest, node).integrity);
  const loaded = new Map<BlobKey, LoadedTypes>();
  const resolver = createResolver({ layout, loadedOf: (place) => loaded.get(keyOf(place)) });
  const collection = createCollection({ resolver, limits });

  /** Tries again until nothing that it needs is unknown. */
  const known = async <T>(attempt: () => T | "unknown"): Promise<T> => {
    for (let value = attempt(); ; value = attempt()) {
      if (value !== "unknown") return value;
      const keys = [...new Set(resolver.takeUnknown().map(keyOf))].filter((key) => !loaded.has(key));
      if (keys.length === 0) await new Promise(setImmediate);
      if (keys.length === 0) continue;
      for (const key of keys) loaded.set(key, { kind: "absent" });
      for (const [key, found] of await options.load(keys)) loaded.set(key, found);
    }
  };

  const specifiers: SpecifierTypes[] = [];
  for (const specifier of wanted === "all" ? [...layout.top.keys()].sort() : wanted) {
    const targets = await known(() => startAt(specifier, resolver));
    specifiers.push({ specifier, ...(await known(() => describeSpecifier(specifier, targets, { manifest, resolver, layout }))) });
    for (const target of targets) collection.add(target);
    if (wanted === "all") for (const { place } of targets) collection.addAll(place);
    await known(() => collection.run());
    // What was left out belongs to this one or to one before it that this one shares it with.
    const last = specifiers.at(-1);
    if (last?.status === "typed" && (collection.isCutOff() || layout.isCutOff())) last.status = "cutOff";
  }
  const isPending = [...loaded.values()].some(({ kind }) => kind === "pending");
  if (isPending) for (const each of specifiers) if (each.status === "typed" || each.status === "noTypes") each.status = "pending";
  const isCutOff = collection.isCutOff() || layout.isCutOff();
  const isAbsent = [...loaded.values()].some(({ kind }) => kind === "absent");
  return {
    final: !isPending && !isCutOff && !isAbsent && specifiers.every(({ status }) => isLasting(status)),
    specifiers,
    ...collection.read((place) => {
      const entry = loaded.get(keyOf(place));
      if (entry?.kind !== "ready") throw new Error(`${place.path} was collected but not loaded`);
      const { name, version } = nodeOf(manifest, place.node);
      return { path: place.path, package: `${name}@${version}`, bundle: entry.bundle };
    }),
    ...(isCutOff ? { limit: { files: limits.files, bytes: limits.bytes } } : {}),
  };
}

/** Says the same until something is installed: the allowlist is not asked again for these. */
const isLasting = (status: SpecifierTypes["status"]): boolean =>
  ["typed", "noTypes", "noSuchPath", "notAPackage"].includes(status);
