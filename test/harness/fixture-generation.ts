import { createHash } from "node:crypto";
import {
  type BlobKey,
  blobKeyOf,
  canonicalJson,
  type Integrity,
  type LockfileHash,
  type Manifest,
  manifestSchema,
} from "../../src/contract/index.ts";
import { buildPackage, type FixturePackage } from "./fixture-package.ts";

/** What an install would have made of some packages: enough for a host to build a tree. */
export interface FixtureGeneration {
  manifest: Manifest;
  /** As served. */
  bytes: Uint8Array;
  lockfileHash: LockfileHash;
  manifestDigest: Integrity;
  blobs: Map<BlobKey, Uint8Array>;
}

/** `roots` is the allowlist, by name (of the first package of that name); dependencies name exact versions. Resolves nothing. */
export function buildGeneration(packages: readonly FixturePackage[], roots: readonly string[]): FixtureGeneration {
  const blobs = new Map<BlobKey, Uint8Array>();
  const nodes: Record<string, unknown> = {};
  for (const fixture of packages) {
    const { name, version, tarball, integrity } = buildPackage(fixture);
    blobs.set(blobKeyOf(integrity as Integrity), tarball);
    const { dependencies = {}, optionalDependencies = {}, os, cpu, libc } = fixture;
    nodes[`${name}@${version}`] = {
      name,
      version,
      integrity,
      dependencies: edges({ ...dependencies, ...optionalDependencies }),
      ...(Object.keys(optionalDependencies).length > 0 && { optional: Object.keys(optionalDependencies) }),
      ...(os && { os }),
      ...(cpu && { cpu }),
      ...(libc && { libc }),
    };
  }
  const rootNodes = roots.map((root) => [root, Object.keys(nodes).find((id) => id.startsWith(`${root}@`))]);
  const manifest = manifestSchema.parse({ format: 1, roots: Object.fromEntries(rootNodes), nodes });
  const bytes = new TextEncoder().encode(canonicalJson(manifest));
  return {
    manifest,
    bytes,
    lockfileHash: createHash("sha256").update(bytes).digest("hex") as LockfileHash,
    manifestDigest: `sha512-${createHash("sha512").update(bytes).digest("base64")}` as Integrity,
    blobs,
  };
}

const edges = (dependencies: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(dependencies).map(([name, version]) => [name, `${name}@${version}`]));
