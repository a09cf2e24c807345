import { folderOf, type PackageOutline, type TypesManifest } from "./outline.ts";
import { mapByVersion } from "./types-versions.ts";

/** For what a script's extension stands for, in TypeScript's order. */
const beside: Record<string, string[]> = {
  ".js": [".d.ts"],
  ".jsx": [".d.ts"],
  ".mjs": [".d.mts"],
  ".cjs": [".d.cts"],
  ".ts": [".d.ts"],
  ".tsx": [".d.ts"],
  ".mts": [".d.mts"],
  ".cts": [".d.cts"],
};

/** `from` a folder within a package; `undefined` when it leads out of it. "" is the package itself. */
export function joinWithin(folder: string, path: string): string | undefined {
  const parts: string[] = folder === "" ? [] : folder.split("/");
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** The declarations of exactly the file that `path` names: itself, or what lies beside a script. */
export function findExact({ files }: PackageOutline, path: string): string | undefined {
  if (files.has(path) && isTypes(path)) return path;
  const dot = path.lastIndexOf(".");
  if (dot <= path.lastIndexOf("/")) return undefined;
  const [stem, extension] = [path.slice(0, dot), path.slice(dot)];
  const candidates = Object.hasOwn(beside, extension) ? (beside[extension] as string[]) : [`.d${extension}.ts`];
  return candidates.map((ending) => stem + ending).find((candidate) => files.has(candidate));
}

const isTypes = (path: string): boolean => /\.[cm]?ts$/.test(path);

/** What `import "./path"` finds in TypeScript: the exact file, one with an extension added, a folder. */
export function findLoosely(outline: PackageOutline, path: string): string | undefined {
  const file = path === "" ? undefined : (findExact(outline, path) ?? withEnding(outline, `${path}.d.ts`));
  return file ?? findInFolder(outline, path);
}

const withEnding = ({ files }: PackageOutline, path: string): string | undefined => (files.has(path) ? path : undefined);

/** By the folder's own `package.json`, else its index. */
export function findInFolder(outline: PackageOutline, folder: string): string | undefined {
  const manifest = outline.manifests.get(folder);
  const main = manifest && mainOf(manifest);
  const index = folder === "" ? "index.d.ts" : `${folder}/index.d.ts`;
  if (manifest) {
    const mapped = mapByVersion(manifest.typesVersions, main === undefined ? "index" : main.replace(/^\.\//, ""), (target) =>
      loosely(outline, folder, target),
    );
    if (mapped !== undefined) return mapped;
  }
  const named = main === undefined ? undefined : loosely(outline, folder, main);
  return named ?? withEnding(outline, index);
}

/** A folder's `types`, or `main`, as it is written. */
function mainOf({ types, typings, main }: TypesManifest): string | undefined {
  return [typings, types, main].find((value): value is string => typeof value === "string" && value !== "");
}

/** Like `findLoosely`, from a folder; a folder's own `package.json` is not looked at, so that two cannot send us round in circles. */
function loosely(outline: PackageOutline, folder: string, target: string): string | undefined {
  const path = joinWithin(folder, target);
  if (path === undefined || !isBelow(folder, path)) return undefined;
  const index = path === "" ? "index.d.ts" : `${path}/index.d.ts`;
  return (
    (path === "" ? undefined : (findExact(outline, path) ?? withEnding(outline, `${path}.d.ts`))) ?? withEnding(outline, index)
  );
}

const isBelow = (folder: string, path: string): boolean => folder === "" || path === folder || path.startsWith(`${folder}/`);

/** The nearest `package.json` at or above a file: it says what the file's own extension leaves open. */
export function scopeOf({ manifests }: PackageOutline, path: string): { folder: string; manifest: TypesManifest } | undefined {
  for (let folder = folderOf(path); ; folder = folderOf(folder)) {
    const manifest = manifests.get(folder);
    if (manifest) return { folder, manifest };
    if (folder === "") return undefined;
  }
}
