import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type BlobKey,
  blobKeyOf,
  canonicalJson,
  type EnvironmentName,
  formatPlatform,
  type Generation,
  type InstallPhase,
  type InstallResult,
  type Integrity,
  LarderError,
  type LockfileHash,
  type Manifest,
  type Platform,
  type Progress,
  parseManifest,
} from "../../contract/index.ts";
import { currentGeneration, getAllowlist, getLockfile, getManifest, listHostPlatforms } from "../../db/index.ts";
import { failpoint } from "../../lib/index.ts";
import type { OperationHandler, OperationRun } from "../operation-handler.ts";
import { assertDeclaredCaps } from "./caps.ts";
import { commitInstall } from "./commit.ts";
import { describeScratchError } from "./describe-failure.ts";
import { fetchBlobs } from "./fetch.ts";
import type { InstallOptions } from "./install-options.ts";
import { type Pin, type PreviousResolve, resolveGraph } from "./resolve.ts";

const planAttempts = 5;

/**
 * An allowlist becomes a generation: plan → resolve → check → fetch → publish → commit. Until the commit nothing changes that hosts see. When the allowlist
 * changes meanwhile, it plans again. Needs no memory of its own: an install that was killed is simply run again, and finds the blobs it had stored.
 */
export function createInstallHandler(options: InstallOptions): OperationHandler {
  const { scratchDirectory } = options;
  return async (run) => {
    const scratch = join(scratchDirectory, run.operation.id);
    try {
      // One operation at a time: whatever lies there is from one that was killed.
      await rm(scratchDirectory, { recursive: true, force: true });
      await mkdir(scratch, { recursive: true, mode: 0o700 });
      for (let attempt = 1; attempt <= planAttempts; attempt++) {
        const result = await installOnce(options, run, scratch);
        if (result !== "stale") return result;
        options.logger.info({ attempt }, "the allowlist changed meanwhile: planning again");
      }
    } catch (error) {
      throw describeScratchError(error, scratchDirectory);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    throw new LarderError("E_CONFLICT", `The allowlist changed during each of ${planAttempts} attempts.`, {
      hint: "Install again when nobody edits it.",
      retryable: true,
    });
  };
}

/** What an install starts from. */
export interface InstallPlan {
  environment: EnvironmentName;
  revision: number;
  packages: Pin[];
  platforms: Platform[];
  current: Generation | undefined;
  previous: PreviousResolve | undefined;
}

async function installOnce(options: InstallOptions, run: OperationRun, scratch: string): Promise<InstallResult | "stale"> {
  const { signal, epoch } = run;
  const timings = createTimings(run);
  const plan = await timings.phase("plan", () => planInstall(options, run.operation.environment));
  await failpoint("install:planned");
  const { manifest, lockfile } = await timings.phase("resolve", () =>
    resolveGraph(options, { packages: plan.packages, previous: plan.previous, scratch, signal }),
  );
  await failpoint("install:resolved");
  await timings.phase("check", async () => assertDeclaredCaps(manifest));
  const fetched = await timings.phase("fetch", () =>
    fetchBlobs(options, { manifest, platforms: plan.platforms, scratch, epoch, signal, report: run.report }),
  );
  await failpoint("install:fetched");
  const identified = identify(manifest);
  const nodes = Object.keys(manifest.nodes).length;
  const committed = await commitInstall(options, { run, plan, ...identified, lockfile, nodes, timings });
  if (committed === "stale") return "stale";
  return { ...fetched, ...committed, lockfileHash: identified.lockfileHash, nodes, timingsMs: timings.read() };
}

async function planInstall({ db, platforms }: InstallOptions, environment: EnvironmentName): Promise<InstallPlan> {
  const allowlist = await getAllowlist(db.query, environment);
  if (allowlist === undefined) throw new LarderError("E_NOT_FOUND", `There is no environment ${environment}.`);
  const current = await currentGeneration(db.query, environment);
  return {
    environment,
    revision: allowlist.revision,
    packages: allowlist.packages.filter(({ enabled }) => enabled).map(({ name, version }) => ({ name, version })),
    platforms: distinct([...platforms, ...(await listHostPlatforms(db.query, environment))]),
    current,
    previous: current && (await previousResolve({ db }, current.lockfileHash)),
  };
}

async function previousResolve({ db }: Pick<InstallOptions, "db">, hash: LockfileHash): Promise<PreviousResolve | undefined> {
  const [stored, lockfile] = [await getManifest(db.query, hash), await getLockfile(db.query, hash)];
  return stored && lockfile ? { manifest: parseManifest(stored.body), lockfile } : undefined;
}

const distinct = (platforms: Platform[]): Platform[] => [
  ...new Map(platforms.map((platform) => [formatPlatform(platform), platform])).values(),
];

export interface IdentifiedManifest {
  /** Canonical JSON: the bytes that hosts get, and that both hashes are of. */
  body: string;
  lockfileHash: LockfileHash;
  digest: Integrity;
  blobs: BlobKey[];
}

function identify(manifest: Manifest): IdentifiedManifest {
  const body = canonicalJson(manifest);
  return {
    body,
    lockfileHash: createHash("sha256").update(body).digest("hex") as LockfileHash,
    digest: `sha512-${createHash("sha512").update(body).digest("base64")}` as Integrity,
    blobs: Object.values(manifest.nodes).map((node) => blobKeyOf(node.integrity)),
  };
}

export interface Timings {
  phase<T>(name: InstallPhase, step: () => Promise<T>): Promise<T>;
  read(): Record<string, number>;
}

/** Tells which phase is under way, and counts each one's milliseconds. */
function createTimings({ report, signal }: { report(progress: Progress): void; signal: AbortSignal }): Timings {
  const startedAt = performance.now();
  const spent: Record<string, number> = {};
  return {
    async phase(name, step) {
      signal.throwIfAborted();
      report({ phase: name, done: 0 });
      const from = performance.now();
      const value = await step();
      spent[name] = rounded(performance.now() - from);
      return value;
    },
    read: () => ({ ...spent, total: rounded(performance.now() - startedAt) }),
  };
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10;
