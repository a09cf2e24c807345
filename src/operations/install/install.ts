import { createHash } from "node:crypto";
import {
  type BlobKey,
  blobKeyOf,
  canonicalJson,
  type InstallPhase,
  type InstallResult,
  type Integrity,
  LarderError,
  type LockfileHash,
  type Manifest,
  type Progress,
} from "../../contract/index.ts";
import { getBlobEntries } from "../../db/index.ts";
import { failpoint } from "../../lib/index.ts";
import { fetchBlobs } from "../fetch/fetch-blobs.ts";
import { seeBlobs } from "../fetch/held-blobs.ts";
import { inScratch } from "../in-scratch.ts";
import type { OperationHandler, OperationRun } from "../operation-handler.ts";
import { assertCaps, judgeCaps, measure, wantedBlobs } from "./caps.ts";
import { commitInstall } from "./commit.ts";
import type { InstallOptions } from "./install-options.ts";
import { readInputs } from "./read-inputs.ts";
import { resolveGraph } from "./resolve.ts";

const planAttempts = 5;

/**
 * An allowlist becomes a generation: plan → resolve → check → fetch → publish → commit. Until the commit nothing changes that hosts see. When the allowlist
 * changes meanwhile, it plans again. Needs no memory of its own: an install that was killed is simply run again, and finds the blobs it had stored.
 */
export function createInstallHandler(options: InstallOptions): OperationHandler {
  const { scratchDirectory } = options;
  return async (run) => {
    const { id } = run.operation;
    const result = await inScratch({ scratchDirectory, id }, (scratch) => installUnlessStale(options, run, scratch));
    if (result !== "stale") return result;
    throw new LarderError("E_CONFLICT", `The allowlist changed during each of ${planAttempts} attempts.`, {
      hint: "Install again when nobody edits it.",
      retryable: true,
    });
  };
}

async function installUnlessStale(options: InstallOptions, run: OperationRun, scratch: string): Promise<InstallResult | "stale"> {
  for (let attempt = 1; attempt <= planAttempts; attempt++) {
    const result = await installOnce(options, run, scratch);
    if (result !== "stale") return result;
    options.logger.info({ attempt }, "the allowlist changed meanwhile: planning again");
  }
  return "stale";
}

async function installOnce(options: InstallOptions, run: OperationRun, scratch: string): Promise<InstallResult | "stale"> {
  const { signal, epoch } = run;
  const timings = createTimings(run);
  const plan = await timings.phase("plan", () => readInputs(options, run.operation.environment));
  const { caps } = plan.rules.policy;
  await failpoint("install:planned");
  // Most of what will be wanted is of the current generation; the resolver leaves time to look at it.
  const before = plan.previous ? [...wantedBlobs(plan.previous.manifest, plan.platforms).keys()] : [];
  const [resolved, seen] = await timings.phase("resolve", () =>
    Promise.all([resolveGraph(options, { ...plan, scratch, signal }), seeBlobs(options, before)]),
  );
  const { manifest, verdict } = resolved;
  await failpoint("install:resolved");
  const wanted = wantedBlobs(manifest, plan.platforms);
  await timings.phase("check", async () => {
    const known = await getBlobEntries(options.db.query, [...wanted.keys()]);
    assertCaps(judgeCaps(caps, measure(manifest, wanted, known)));
  });
  const limitBytes = caps.packedBytes.block ?? undefined;
  const {
    entries,
    warnings: odd,
    ...fetched
  } = await timings.phase("fetch", () =>
    fetchBlobs(options, { wanted, limitBytes, seen, scratch, epoch, signal, report: run.report }),
  );
  await failpoint("install:fetched");
  const capFindings = judgeCaps(caps, measure(manifest, wanted, entries));
  assertCaps(capFindings);
  const identified = identify(manifest);
  const nodes = Object.keys(manifest.nodes).length;
  const committed = await commitInstall(options, { run, plan, ...identified, ...resolved, nodes, timings });
  if (committed === "stale") return "stale";
  const warnings = [...[...capFindings, ...verdict.flags].map(({ message }) => message), ...odd];
  return {
    ...fetched,
    ...committed,
    lockfileHash: identified.lockfileHash,
    nodes,
    ...(warnings.length > 0 && { warnings }),
    timingsMs: timings.read(),
  };
}

export interface IdentifiedManifest {
  /** Canonical JSON: the bytes that hosts get, and that both hashes are of. */
  body: string;
  lockfileHash: LockfileHash;
  digest: Integrity;
  blobs: BlobKey[];
}

export function identify(manifest: Manifest): IdentifiedManifest {
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
