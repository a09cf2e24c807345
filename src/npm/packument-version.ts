import { isExactVersion, type PackageName } from "../contract/index.ts";
import type { PackumentVersion } from "./packument.ts";

const textLimit = 500;
const constraintLimit = 40;
const scriptsRunAtInstall = ["preinstall", "install", "postinstall"];

/** What `readPackumentVersion` looks at. */
export const versionMembers = [
  "dist",
  "dependencies",
  "optionalDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
  "bundleDependencies",
  "bundledDependencies",
  "os",
  "cpu",
  "libc",
  "deprecated",
  "hasInstallScript",
  "gypfile",
  "scripts",
  "license",
  "licenses",
] as const;

/**
 * What a registry says of one version, cut down and made safe: `undefined` when it is not an object, is about another version, or names no tarball. Old
 * documents hold oddities (`dependencies: []`, `os: "linux"`); a field of the wrong kind counts as absent.
 */
export function readPackumentVersion(name: PackageName, version: string, value: unknown): PackumentVersion | undefined {
  if (!isRecord(value) || !isExactVersion(version)) return undefined;
  const dist = readDist(value.dist);
  if (dist === undefined) return undefined;
  const result: PackumentVersion = { name, version, dist };
  for (const group of ["dependencies", "optionalDependencies", "peerDependencies"] as const) {
    const record = stringRecord(value[group]);
    if (record) result[group] = record;
  }
  const meta = peerMeta(value.peerDependenciesMeta);
  if (meta) result.peerDependenciesMeta = meta;
  const bundled = value.bundleDependencies ?? value.bundledDependencies;
  if (typeof bundled === "boolean") result.bundleDependencies = bundled;
  else if (Array.isArray(bundled)) result.bundleDependencies = bundled.filter((item) => typeof item === "string");
  for (const field of ["os", "cpu", "libc"] as const) {
    const list = constraint(value[field]);
    if (list) result[field] = list;
  }
  if (typeof value.deprecated === "string" && value.deprecated !== "") result.deprecated = value.deprecated.slice(0, textLimit);
  if (hasInstallScript(value)) result.hasInstallScript = true;
  const license = licenseOf(value);
  if (license) result.license = license;
  return result;
}

function readDist(value: unknown): PackumentVersion["dist"] | undefined {
  if (!isRecord(value) || typeof value.tarball !== "string" || value.tarball.length > 4096) return undefined;
  const { tarball, integrity, shasum, unpackedSize, fileCount } = value;
  const dist: PackumentVersion["dist"] = { tarball };
  if (typeof integrity === "string" && integrity !== "" && integrity.length <= 1024) dist.integrity = integrity;
  if (typeof shasum === "string" && /^[0-9a-f]{40}$/i.test(shasum)) dist.shasum = shasum.toLowerCase();
  if (isCount(unpackedSize)) dist.unpackedSize = unpackedSize;
  if (isCount(fileCount)) dist.fileCount = fileCount;
  return dist;
}

function hasInstallScript(value: Record<string, unknown>): boolean {
  if (value.hasInstallScript === true || value.gypfile === true) return true;
  const { scripts } = value;
  return isRecord(scripts) && scriptsRunAtInstall.some((script) => typeof scripts[script] === "string" && scripts[script] !== "");
}

/** An SPDX expression, or what old documents have in its place: `{type}`, or a list of those. */
function licenseOf({ license, licenses }: Record<string, unknown>): string | undefined {
  const given = license ?? licenses;
  const names = (Array.isArray(given) ? given : [given]).map((each: unknown) =>
    isRecord(each) ? (each.type ?? each.name) : each,
  );
  const texts = names.filter((each) => typeof each === "string" && each !== "");
  return texts.length > 0 ? texts.join(" OR ").slice(0, 100) : undefined;
}

/** npm takes a single string for a list of one. */
function constraint(value: unknown): string[] | undefined {
  const list = typeof value === "string" ? [value] : value;
  if (!Array.isArray(list)) return undefined;
  const names = list.filter((item) => typeof item === "string" && item !== "");
  return names.length > 0 ? names.slice(0, constraintLimit).map((item: string) => item.slice(0, constraintLimit)) : undefined;
}

function stringRecord(value: unknown): Record<string, string> | undefined {
  if (!isRecord(value)) return undefined;
  for (const key in value) if (typeof value[key] !== "string") return onlyStrings(value);
  return value as Record<string, string>;
}

const onlyStrings = (value: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));

function peerMeta(value: unknown): Record<string, { optional: boolean }> | undefined {
  if (!isRecord(value)) return undefined;
  const optional = Object.entries(value).filter(([, meta]) => isRecord(meta) && meta.optional === true);
  return optional.length > 0 ? Object.fromEntries(optional.map(([peer]) => [peer, { optional: true }])) : undefined;
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
