import { type ExactVersion, isExactVersion, type PackageName } from "../contract/index.ts";

/** What a registry declares of one version and a resolver or an installer needs; the rest of its document is dropped while it is read. */
export interface PackumentVersion {
  name: PackageName;
  version: ExactVersion;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional: boolean }>;
  bundleDependencies?: string[] | boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  deprecated?: string;
  hasInstallScript?: true;
  license?: string;
  dist: {
    tarball: string;
    /** Subresource Integrity; several digests may stand in it. */
    integrity?: string;
    /** SHA-1, 40 lower-case hex digits. */
    shasum?: string;
    unpackedSize?: number;
    fileCount?: number;
  };
}

/** A registry's document about one package. `dist-tags` and `versions` have no prototype: no key of a hostile registry means anything to JavaScript. */
export interface Packument {
  name: PackageName;
  "dist-tags": Record<string, string>;
  /** By exact version. What is no exact version, or is described by something other than an object, is left out. */
  versions: Record<string, PackumentVersion>;
  /** When each version was published, as the registry says it; whatever text stands there. Only full documents have it. No prototype either. */
  time?: Record<string, string>;
  description?: string;
  /** When the document was last changed; abbreviated documents have it. */
  modified?: string;
}

/** One version as the registry declares it, in the terms of a manifest. Sizes in bytes. */
export interface DeclaredVersion {
  tarball: string;
  integrity?: string;
  shasum?: string;
  unpackedBytes?: number;
  fileCount?: number;
  deprecated?: string;
  hasInstallScript?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

export function declaredVersion(packument: Packument, version: string): DeclaredVersion | undefined {
  const found = packument.versions[version];
  if (found === undefined) return undefined;
  const { dist, deprecated, hasInstallScript, os, cpu, libc } = found;
  const declared: DeclaredVersion = { tarball: dist.tarball };
  if (dist.integrity !== undefined) declared.integrity = dist.integrity;
  if (dist.shasum !== undefined) declared.shasum = dist.shasum;
  if (dist.unpackedSize !== undefined) declared.unpackedBytes = dist.unpackedSize;
  if (dist.fileCount !== undefined) declared.fileCount = dist.fileCount;
  if (deprecated !== undefined) declared.deprecated = deprecated;
  if (hasInstallScript !== undefined) declared.hasInstallScript = hasInstallScript;
  if (os !== undefined) declared.os = os;
  if (cpu !== undefined) declared.cpu = cpu;
  if (libc !== undefined) declared.libc = libc;
  return declared;
}

/** What the `latest` tag points at, when that is a version the registry has. */
export function latestVersion(packument: Packument): ExactVersion | undefined {
  const latest = packument["dist-tags"].latest;
  return latest !== undefined && isExactVersion(latest) && packument.versions[latest] ? latest : undefined;
}
