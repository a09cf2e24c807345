import { type ExactVersion, isExactVersion, isPackageName, LarderError, type PackageName } from "../contract/index.ts";
import { parseLockPath } from "./lock-path.ts";
import { parseLooseJson } from "./loose-json.ts";

/** One entry of `packages`: one place in the tree that the lock describes. The same name and version may stand in several places. */
export interface LockPackage {
  /** The entry's key: names joined by "/", read as nested `node_modules`. Its last name is the alias, which need not be `name`. */
  path: string;
  name: PackageName;
  version: ExactVersion;
  /** As in the lock: `sha512-…`, `sha1-…`, or empty when the registry declares none. */
  integrity: string;
  /** Alias → range, as the package declares them. */
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  optionalPeers: string[];
  /** As far as Bun knows the names: it writes "none" for those that it does not. */
  os?: string[];
  cpu?: string[];
  libc?: string[];
  hasInstallScript: boolean;
  /** It comes inside the tarball of the package that it is nested in. */
  bundled: boolean;
}

export interface BunLock {
  version: 1 | 2;
  packages: LockPackage[];
}

const maxCharacters = 64 << 20;

/** Reads `bun.lock` (text format, versions 1 and 2). Throws `E_LOCKFILE` for what is none, `E_RESOLVE` for a package that is not from a registry. */
export function parseBunLock(text: string): BunLock {
  if (text.length > maxCharacters) throw broken(`it is larger than ${maxCharacters} characters`);
  const lock = asRecord(parseText(text), "the file");
  const version = lock.lockfileVersion;
  if (version !== 1 && version !== 2) throw broken(`lockfileVersion is ${JSON.stringify(version)}`);
  const packages = Object.entries(asRecord(lock.packages ?? {}, "packages"));
  return { version, packages: packages.map(([path, entry]) => parseEntry(path, entry)) };
}

function parseText(text: string): unknown {
  try {
    return parseLooseJson(text);
  } catch (error) {
    throw broken((error as Error).message, error);
  }
}

function parseEntry(path: string, entry: unknown): LockPackage {
  if (parseLockPath(path) === undefined) throw broken(`${JSON.stringify(path)} is not a path of package names`);
  const [resolution, , info, integrity] = Array.isArray(entry) ? entry : [];
  if (typeof resolution !== "string") throw broken(`${path} has no resolution`);
  const { name, version } = parseResolution(path, resolution);
  if (typeof integrity !== "string") throw broken(`${path} has no integrity field`);
  const fields = asRecord(info, path);
  const parsed: LockPackage = {
    path,
    name,
    version,
    integrity,
    dependencies: ranges(fields.dependencies, path),
    optionalDependencies: ranges(fields.optionalDependencies, path),
    peerDependencies: ranges(fields.peerDependencies, path),
    optionalPeers: strings(fields.optionalPeers, path) ?? [],
    hasInstallScript: fields.hasInstallScript === true,
    bundled: fields.bundled === true,
  };
  for (const field of ["os", "cpu", "libc"] as const) {
    const list = strings(fields[field], path);
    if (list !== undefined) parsed[field] = list;
  }
  return parsed;
}

function parseResolution(path: string, resolution: string): { name: PackageName; version: ExactVersion } {
  const at = resolution.indexOf("@", 1);
  const [name, version] = [resolution.slice(0, at), resolution.slice(at + 1)];
  if (at > 0 && isPackageName(name) && isExactVersion(version)) return { name, version };
  throw new LarderError(
    "E_RESOLVE",
    `${path} resolves to ${JSON.stringify(resolution.slice(0, 300))}, which is not a version from a registry.`,
    {
      hint: "Larder serves packages from registries only, not from git, addresses, files or workspaces. Use a version without that dependency.",
      details: { package: path, resolution: resolution.slice(0, 300) },
    },
  );
}

function ranges(value: unknown, path: string): Record<string, string> {
  const result = Object.create(null) as Record<string, string>;
  for (const [alias, range] of Object.entries(asRecord(value ?? {}, path))) {
    if (typeof range !== "string") throw broken(`${path} gives no range for ${alias}`);
    if (!isPackageName(alias)) {
      throw new LarderError(
        "E_RESOLVE",
        `${path} depends on ${JSON.stringify(alias.slice(0, 300))}, which is not a package name.`,
        {
          hint: "Use a version of the package without that dependency.",
          details: { package: path },
        },
      );
    }
    result[alias] = range;
  }
  return result;
}

/** A list of one is written as a string. */
function strings(value: unknown, path: string): string[] | undefined {
  if (value === undefined) return undefined;
  const list = typeof value === "string" ? [value] : value;
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw broken(`${path} has a list that is none`);
}

function asRecord(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw broken(`${where} is not an object`);
}

const broken = (why: string, cause?: unknown): LarderError =>
  new LarderError("E_LOCKFILE", `The resolver's bun.lock cannot be read: ${why}.`, {
    hint: "This is a fault of Larder or of its resolver. Please report it with the package list.",
    cause,
  });
