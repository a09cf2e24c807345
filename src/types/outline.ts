import { LarderError, type TypesBundle } from "../contract/index.ts";
import { isPackageJson } from "./cut-types.ts";

export const outlineFormat = 1;

/** How a `require` or an `import` is resolved in packages that tell them apart. */
export type ResolutionMode = "import" | "require";

/**
 * What a declaration file refers to: `import` covers imports, re-exports, `import()` types and augmentations, `require` is `import x = require()`, the rest
 * are `/// <reference>`. A mode is there when the file itself says one.
 */
export type Reference =
  | [kind: "import" | "require" | "path" | "types" | "lib", name: string]
  | [kind: "import" | "types", name: string, mode: ResolutionMode];

/** The members of a `package.json` that say where types are. Values are whatever the author wrote. */
export type TypesManifest = Partial<
  Record<"name" | "type" | "main" | "types" | "typings" | "typesVersions" | "exports" | "imports", unknown>
>;

/** What a bundle's files refer to, without their texts. */
export interface PackageOutline {
  format: typeof outlineFormat;
  /** Path → place in `sizes` and `references`. */
  files: Map<string, number>;
  /** UTF-8 bytes. */
  sizes: number[];
  /** `null` for a text that no parser could read. */
  references: (Reference[] | null)[];
  /** By the folder that the `package.json` is in, "" for the package's own. */
  manifests: Map<string, TypesManifest>;
  truncated: boolean;
}

/** Reads what texts refer to, in their order; `null` where that cannot be said. */
export type ReadReferences = (texts: readonly string[]) => Promise<(Reference[] | null)[]>;

export async function outlineBundle({ files, texts, truncated }: TypesBundle, read: ReadReferences): Promise<PackageOutline> {
  const paths = Object.entries(files);
  const declarations = [...new Set(paths.filter(([path]) => !isPackageJson(path)).map(([, place]) => place))];
  const found = await read(declarations.map((place) => texts[place] ?? ""));
  const references: (Reference[] | null)[] = texts.map(() => []);
  for (const [i, place] of declarations.entries()) references[place] = found[i] ?? null;
  const manifests = paths.filter(([path]) => isPackageJson(path));
  return {
    format: outlineFormat,
    files: new Map(paths),
    sizes: texts.map((text) => Buffer.byteLength(text)),
    references,
    manifests: new Map(manifests.map(([path, place]) => [folderOf(path), readManifest(texts[place] ?? "")])),
    truncated: truncated === true,
  };
}

const members = ["name", "type", "main", "types", "typings", "typesVersions", "exports", "imports"] as const;

function readManifest(text: string): TypesManifest {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return {};
    const own = value as Record<string, unknown>;
    return Object.fromEntries(members.filter((name) => Object.hasOwn(own, name)).map((name) => [name, own[name]]));
  } catch {
    // The package's own was checked at admission; one further down may be anything.
    return {};
  }
}

/** The folder that a path is in; "" at the top. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

export const formatOutline = ({ files, manifests, ...outline }: PackageOutline): string =>
  JSON.stringify({ ...outline, files: [...files], manifests: [...manifests] });

/** `undefined`: of another format, to be made again. */
export function parseOutline(text: string): PackageOutline | undefined {
  const parsed = JSON.parse(text) as Omit<PackageOutline, "files" | "manifests"> & {
    files: [string, number][];
    manifests: [string, TypesManifest][];
  };
  if (parsed.format !== outlineFormat) return undefined;
  return { ...parsed, files: new Map(parsed.files), manifests: new Map(parsed.manifests) };
}

/** A file that the outline names has a place. */
export function placeOf({ files }: PackageOutline, path: string): number {
  const place = files.get(path);
  if (place === undefined) throw new LarderError("E_INTERNAL", `An outline does not hold ${path}.`);
  return place;
}
