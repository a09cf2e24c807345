import { createHash, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { defaultArchiveLimits } from "../../archive/index.ts";
import {
  type ExactVersion,
  type Integrity,
  isIntegrity,
  LarderError,
  type Manifest,
  type ManifestNode,
  type PackageName,
} from "../../contract/index.ts";
import { type Gateway, openGateway, runResolver } from "../../gateway/index.ts";
import { buildManifest, type LockPackage, parseBunLock } from "../../npm/index.ts";
import type { InstallOptions } from "./install-options.ts";
import { openSpool } from "./spool.ts";
import { tarballUrl } from "./tarball-url.ts";

export interface Pin {
  name: PackageName;
  version: ExactVersion;
}

/** What the current generation was resolved to: where the next resolve starts from. */
export interface PreviousResolve {
  lockfile: string;
  manifest: Manifest;
}

export interface ResolveInput {
  packages: Pin[];
  previous: PreviousResolve | undefined;
  /** A directory of this install's own. */
  scratch: string;
  signal: AbortSignal;
}

export interface Resolved {
  manifest: Manifest;
  /** `bun.lock`, as the resolver wrote it. */
  lockfile: string;
}

const deadlineMs = 5 * 60_000;

/**
 * The allowlist as a graph. The resolver sees the gateway and nothing else; versions that the current generation locks stay where they are, as long as the
 * allowlist lets them. Throws `E_RESOLVE`, `E_PACKAGE_NOT_FOUND`, `E_VERSION_NOT_FOUND`, `E_REGISTRY_UNREACHABLE`, `E_TIMEOUT`.
 */
export async function resolveGraph(options: InstallOptions, input: ResolveInput): Promise<Resolved> {
  const directory = join(input.scratch, "resolve");
  await mkdir(directory, { recursive: true });
  await using gateway = await openGateway({ client: options.registry, cache: options.cache, logger: options.logger });
  const lockfile = await runResolver({
    gateway,
    scratch: directory,
    packages: input.packages,
    lockfile: input.previous?.lockfile,
    timeoutMs: deadlineMs,
    signal: input.signal,
    bunPath: options.bunPath,
  });
  const lock = parseBunLock(lockfile);
  const known = knownNodes(input.previous?.manifest);
  const integrities = new Map<string, Integrity>();
  for (const entry of lock.packages) {
    integrities.set(labelOf(entry), await sha512Of(entry, { options, input, known, gateway }));
  }
  const manifest = buildManifest({
    lock,
    allowlist: input.packages,
    integrity: (name, version) => integrities.get(labelOf({ name, version })) as Integrity,
    describe: (name, version) => gateway.describe(name, version) ?? declaredOf(known.get(labelOf({ name, version }))),
  });
  return { manifest, lockfile };
}

interface Sources {
  options: InstallOptions;
  input: ResolveInput;
  known: Map<string, ManifestNode>;
  gateway: Gateway;
}

/** A registry that only has SHA-1 for a version: its tarball is checked against that once, and ours is the SHA-512 from then on. */
async function sha512Of(entry: LockPackage, { options, input, known, gateway }: Sources): Promise<Integrity> {
  if (isIntegrity(entry.integrity)) return entry.integrity;
  const label = labelOf(entry);
  const recorded = known.get(label);
  if (recorded) return recorded.integrity;
  const url = gateway.describe(entry.name, entry.version)?.tarball ?? (await tarballUrl(options, entry, input.signal));
  const path = join(input.scratch, `${randomBytes(8).toString("hex")}.tgz`);
  const source = await options.registry.tarball(url, { name: entry.name, label, signal: input.signal });
  await using spool = await openSpool(source, {
    path,
    limitBytes: defaultArchiveLimits.compressedBytes,
    label,
    signal: input.signal,
  });
  const [sha1, sha512] = [createHash("sha1"), createHash("sha512")];
  const content = spool.read();
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    sha1.update(chunk);
    sha512.update(chunk);
  }
  const actual = `sha1-${sha1.digest("base64")}`;
  if (actual !== entry.integrity) {
    throw new LarderError(
      "E_INTEGRITY",
      `The tarball of ${label} is not the one that was resolved: expected ${entry.integrity}, got ${actual}.`,
      {
        hint: "The registry or something before it changed the bytes. Nothing was stored.",
        details: { package: label, expected: entry.integrity, actual },
      },
    );
  }
  return `sha512-${sha512.digest("base64")}` as Integrity;
}

const labelOf = ({ name, version }: Pin): string => `${name}@${version}`;

function knownNodes(manifest: Manifest | undefined): Map<string, ManifestNode> {
  const nodes = Object.values(manifest?.nodes ?? {}) as ManifestNode[];
  return new Map(nodes.map((node) => [labelOf(node), node]));
}

/**
 * What the previous manifest recorded of a version whose packument the resolver had no need to ask for again. Its platforms, too: the lockfile says "none"
 * for an os or a cpu that Bun does not know, such as riscv64.
 */
function declaredOf(node: ManifestNode | undefined) {
  if (node === undefined) return undefined;
  const { os, cpu, libc, unpackedBytes, fileCount, hasInstallScript } = node;
  return {
    tarball: "",
    ...(os === undefined ? {} : { os }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(libc === undefined ? {} : { libc }),
    ...(unpackedBytes === undefined ? {} : { unpackedBytes }),
    ...(fileCount === undefined ? {} : { fileCount }),
    ...(hasInstallScript === undefined ? {} : { hasInstallScript }),
  };
}
