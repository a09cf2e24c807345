import { createHash } from "node:crypto";
import { type BlobKey, blobKeyOf, type Integrity, type Manifest, type PackageName } from "../../contract/index.ts";
import { type CollectedTypes, collectTypes, type LoadedTypes } from "../collect-types.ts";
import { createTypesCutter } from "../cut-types.ts";
import { outlineBundle, type PackageOutline } from "../outline.ts";
import { readReferences } from "../read-references.ts";

/** A package as an author would write it: its files, `package.json` as an object, and what it depends on: alias → `name@version`. */
export interface GraphPackage {
  files?: Record<string, string>;
  json?: Record<string, unknown>;
  needs?: Record<string, string>;
}

/** `name@version` → package; `roots` are the ids that are allowlisted, all unless said. */
export interface TypeGraph {
  manifest: Manifest;
  outlines: Map<BlobKey, PackageOutline>;
  /** How often each was loaded. */
  loads: Map<BlobKey, number>;
  collect(
    wanted: readonly string[] | "all",
    options?: { limits?: { files: number; bytes: number }; pending?: string[]; absent?: string[] },
  ): Promise<CollectedTypes>;
  keyOf(id: string): BlobKey;
}

export async function createTypeGraph(packages: Record<string, GraphPackage>, roots = Object.keys(packages)): Promise<TypeGraph> {
  const integrityOf = (id: string) => `sha512-${createHash("sha512").update(id).digest("base64")}` as Integrity;
  const keyOf = (id: string) => blobKeyOf(integrityOf(id));
  const nodes = Object.fromEntries(
    Object.entries(packages).map(([id, { needs = {} }]) => [
      id,
      { ...nameAndVersion(id), integrity: integrityOf(id), dependencies: needs },
    ]),
  );
  const manifest = {
    format: 1,
    roots: Object.fromEntries(roots.map((id) => [nameAndVersion(id).name, id])),
    nodes,
  } as unknown as Manifest;
  const outlines = new Map<BlobKey, PackageOutline>();
  for (const [id, { files = {}, json = {} }] of Object.entries(packages)) {
    outlines.set(keyOf(id), await outlineOf({ "package.json": JSON.stringify({ ...nameAndVersion(id), ...json }), ...files }));
  }
  const loads = new Map<BlobKey, number>();
  return {
    manifest,
    outlines,
    loads,
    keyOf,
    collect: (wanted, { limits = { files: 1000, bytes: 1e7 }, pending = [], absent = [] } = {}) =>
      collectTypes(wanted, {
        manifest,
        limits,
        async load(keys) {
          const found = new Map<BlobKey, LoadedTypes>();
          for (const key of keys) {
            loads.set(key, (loads.get(key) ?? 0) + 1);
            const outline = outlines.get(key);
            if (pending.some((id) => keyOf(id) === key)) found.set(key, { kind: "pending" });
            else if (outline && !absent.some((id) => keyOf(id) === key)) found.set(key, { kind: "ready", bundle: key, outline });
          }
          return found;
        },
      }),
  };
}

/** Cut and parsed as they would be from a tarball. */
export async function outlineOf(files: Record<string, string>): Promise<PackageOutline> {
  const cutter = createTypesCutter();
  for (const [path, text] of Object.entries(files)) {
    cutter.sink.beginFile({ path, sizeBytes: Buffer.byteLength(text), executable: false });
    cutter.sink.data(Buffer.from(text));
    cutter.sink.endFile();
  }
  return await outlineBundle(cutter.finish(), async (texts) => texts.map((text) => readReferences(text)));
}

function nameAndVersion(id: string): { name: PackageName; version: string } {
  const at = id.lastIndexOf("@");
  return { name: id.slice(0, at) as PackageName, version: id.slice(at + 1) };
}

/** Every file of an answer, by its path. */
export const filesOf = ({ packages }: CollectedTypes): string[] =>
  packages.flatMap(({ path, files }) => files.map((file) => `${path}/${file}`)).filter((path) => !path.endsWith("package.json"));
