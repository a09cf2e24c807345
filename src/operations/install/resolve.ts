import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { defaultArchiveLimits } from "../../archive/index.ts";
import {
  type AddedDependency,
  type ExactVersion,
  type Integrity,
  isIntegrity,
  LarderError,
  type LockfileHash,
  type Manifest,
  type ManifestNode,
  type PackageName,
  type Plan,
} from "../../contract/index.ts";
import type { ReleaseFacts } from "../../db/index.ts";
import {
  createGateway,
  createRuleset,
  type Gateway,
  type ResolverAnswer,
  type ResolverMemory,
  type Rules,
  type Ruleset,
  refusedByPolicy,
  runResolver,
} from "../../gateway/index.ts";
import { buildManifest, type LockPackage, parseBunLock, pruneLock } from "../../npm/index.ts";
import { openSpool } from "../fetch/spool.ts";
import { tarballUrl } from "../fetch/tarball-url.ts";
import { checkGraph, type GraphVerdict, labelOf } from "./check-graph.ts";
import { heldBack } from "./held-back.ts";
import type { InstallOptions } from "./install-options.ts";
import { outdatedEntries } from "./outdated-entries.ts";

export interface Pin {
  name: PackageName;
  version: ExactVersion;
}

/** What the current generation was resolved to: where the next resolve starts from. */
export interface PreviousResolve {
  lockfileHash: LockfileHash;
  lockfile: string;
  manifest: Manifest;
  /** Undeclared dependencies that were added to it. */
  addedDependencies: AddedDependency[];
  /** What its versions' registries said when they were last asked, by `name@version`. */
  facts: ReadonlyMap<string, ReleaseFacts>;
}

export interface ResolveInput {
  packages: Pin[];
  rules: Rules;
  previous: PreviousResolve | undefined;
  /** A directory of this install's own. */
  scratch: string;
  signal: AbortSignal;
}

export interface Resolved {
  manifest: Manifest;
  /** `bun.lock`, as the resolver wrote it. */
  lockfile: string;
  /** Nothing is refused. */
  verdict: GraphVerdict;
  heldBack: Plan["heldBack"];
}

/** What a resolve needs of an install. */
export type ResolveOptions = Pick<InstallOptions, "registry" | "cache" | "logger" | "bunPath"> & {
  /** What registries said within this time is not asked again. */
  freshForMs?: number;
  /** Spares a resolver whose answer is known. */
  memory?: ResolverMemory;
};

const deadlineMs = 5 * 60_000;

/**
 * The allowlist as a graph that policy allows. The resolver sees the gateway and nothing else; versions that the current generation locks stay where they are, as
 * long as the allowlist and the policy let them. Throws `E_POLICY`, `E_RESOLVE`, `E_PACKAGE_NOT_FOUND`, `E_VERSION_NOT_FOUND`, `E_REGISTRY_UNREACHABLE`,
 * `E_TIMEOUT`.
 */
export async function resolveGraph(options: ResolveOptions, input: ResolveInput): Promise<Resolved> {
  const ruleset = createRuleset(input.rules);
  await using gateway = createGateway({
    client: options.registry,
    cache: options.cache,
    freshForMs: options.freshForMs,
    logger: options.logger,
    ruleset,
  });
  const { previous } = input;
  const lockfile =
    previous && pruneLock(previous.lockfile, outdatedEntries(previous, { ruleset, registryOf: gateway.registryOf }));
  const first = await resolveOnce(options, { input, gateway, ruleset, lockfile, attempt: 1 });
  const refused = new Set(first.verdict.refusals.map(labelOf));
  if (refused.size === 0) return first;
  // The lock held versions of which only the look at the finished graph showed that policy refuses them. The resolver must choose others.
  const pruned = lockfile && pruneLock(lockfile, (entry) => refused.has(labelOf(entry)));
  const second = await resolveOnce(options, { input, gateway, ruleset, lockfile: pruned, attempt: 2 });
  if (second.verdict.refusals.length > 0) throw refusedByPolicy(second.verdict.refusals);
  return second;
}

interface Attempt {
  input: ResolveInput;
  gateway: Gateway;
  ruleset: Ruleset;
  lockfile: string | undefined;
  attempt: number;
}

async function resolveOnce(
  options: ResolveOptions,
  { input, gateway, ruleset, lockfile: held, attempt }: Attempt,
): Promise<Resolved> {
  const { previous, packages } = input;
  const question = { packages, lockfile: held, basis: previous?.lockfileHash };
  const known = await options.memory?.recall(question, gateway);
  const answer = known ?? (await answerOf({ options, input, gateway, lockfile: held, attempt }));
  if (known === undefined) await options.memory?.keep(question, gateway, answer);
  const { facts = new Map(), addedDependencies: addedBefore = [] } = previous ?? {};
  const { manifest } = answer;
  const verdict = await checkGraph({ manifest, gateway, ruleset, facts, addedBefore });
  return { ...answer, verdict, heldBack: heldBack(manifest, gateway) };
}

async function answerOf({
  options,
  input,
  gateway,
  lockfile: held,
  attempt,
}: Omit<Attempt, "ruleset"> & { options: ResolveOptions }): Promise<ResolverAnswer> {
  const lockfile = await runResolver({
    gateway,
    scratch: join(input.scratch, `resolve-${attempt}`),
    packages: input.packages,
    lockfile: held,
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
  return { lockfile, manifest };
}

interface Sources {
  options: ResolveOptions;
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
