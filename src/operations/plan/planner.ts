import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type AllowlistChanges,
  type BlobKey,
  type EnvironmentName,
  hasCode,
  type Manifest,
  type ManifestNode,
  type Plan,
  type Policy,
  type Revocation,
} from "../../contract/index.ts";
import { getBlobEntries, listHosts } from "../../db/index.ts";
import { createResolverMemory } from "../../gateway/index.ts";
import { diffManifests, type SizeOf } from "../generations/diff-manifests.ts";
import { createManifestReader, type ManifestReader } from "../generations/manifest-reader.ts";
import { assertCaps, estimatePacked, judgeCaps, type KnownSize, measure, wantedBlobs } from "../install/caps.ts";
import { type IdentifiedManifest, identify } from "../install/install.ts";
import type { InstallOptions } from "../install/install-options.ts";
import { type InstallPlan, readInputs } from "../install/read-inputs.ts";
import { type Resolved, type ResolveOptions, resolveGraph } from "../install/resolve.ts";
import { pinVersions } from "../pin-versions.ts";
import { applyChanges } from "./apply-changes.ts";
import { hostPulls } from "./host-pulls.ts";
import { refusalsOf } from "./refusals-of.ts";

export type PlannerOptions = Pick<
  InstallOptions,
  "db" | "registry" | "cache" | "logger" | "bunPath" | "platforms" | "scratchDirectory"
>;

export interface PlanRequest {
  environment: EnvironmentName;
  changes?: { [Kind in keyof AllowlistChanges]?: AllowlistChanges[Kind] | undefined } | undefined;
  /** In place of the one in force. */
  policy?: Policy | undefined;
  /** As if this were revoked, too. */
  revoked?: Pick<Revocation, "name" | "version" | "reason"> | undefined;
  signal: AbortSignal;
}

/** Says what an install would do. Writes nothing but its own scratch directory, needs no election, and may run beside an install. */
export interface Planner {
  /** Throws what keeps it from being told: registries in trouble, a name that is not there. What policy refuses is in the answer. */
  plan(request: PlanRequest): Promise<Plan>;
}

/**
 * As npm's registry says (`max-age=300`), and package managers take it: somebody who edits an allowlist asks for one plan after the other. An install asks registries
 * itself. What is known here, such as revocations, counts from the next moment on.
 */
const freshForMs = 5 * 60_000;

/** Resolvers at a time: each is a process of its own. */
const atOnce = 2;

export function createPlanner(plannerOptions: PlannerOptions): Planner {
  const options = { ...plannerOptions, freshForMs, memory: createResolverMemory(), readManifest: createManifestReader() };
  const turn = createTurnstile(atOnce);
  return {
    plan: (request) =>
      turn(request.signal, async () => {
        const scratch = join(options.scratchDirectory, randomBytes(8).toString("hex"));
        try {
          await mkdir(scratch, { recursive: true, mode: 0o700 });
          return await planOnce(options, request, scratch);
        } finally {
          await rm(scratch, { recursive: true, force: true });
        }
      }),
  };
}

/** Lets `limit` through at a time, the rest in order. */
function createTurnstile(limit: number) {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

async function planOnce(options: PlanSource, request: PlanRequest, scratch: string): Promise<Plan> {
  const { environment, signal } = request;
  const startedAt = performance.now();
  const timingsMs: Record<string, number> = {};
  const timed = async <T>(name: string, step: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const value = await step();
    timingsMs[name] = rounded(performance.now() - from);
    return value;
  };
  const inputs = await timed("read", () => askingAgain(options, (source) => readChanged(source, request)));
  const plan: Plan = {
    environment,
    ok: true,
    currentGeneration: inputs.current?.number ?? 0,
    changed: false,
    packages: inputs.packages,
    choices: inputs.choices,
    changes: [],
    nodes: 0,
    fetch: { tarballs: 0, packedBytes: 0, packedIsEstimate: false, unpackedBytes: 0 },
    hosts: [],
    refusals: [],
    caps: [],
    flags: [],
    waived: [],
    heldBack: [],
    addedDependencies: [],
    timingsMs,
  };
  try {
    const resolved = await timed("resolve", () =>
      askingAgain(options, (source) =>
        resolveGraph(source, { ...inputs, scratch: join(scratch, `${source.freshForMs}`), signal }),
      ),
    );
    await timed("compare", () => compare(options, { inputs, resolved, plan }));
    assertCaps(plan.caps);
  } catch (thrown) {
    if (!hasCode(thrown, "E_TOO_LARGE", ...refusals)) throw thrown;
    Object.assign(plan, { ok: false, error: thrown.toBody(), refusals: refusalsOf(thrown) });
  }
  timingsMs.total = rounded(performance.now() - startedAt);
  return plan;
}

type PlanSource = PlannerOptions & ResolveOptions & { freshForMs: number; readManifest: ManifestReader };

const refusals = ["E_POLICY", "E_RESOLVE", "E_VERSION_NOT_FOUND", "E_PACKAGE_NOT_FOUND"] as const;

/** Nothing is refused by what registries said a while ago: they may have published, since, what is missing. */
async function askingAgain<T>(options: PlanSource, work: (options: PlanSource) => Promise<T>): Promise<T> {
  try {
    return await work(options);
  } catch (thrown) {
    if (!hasCode(thrown, ...refusals)) throw thrown;
    return await work({ ...options, freshForMs: 0 });
  }
}

interface Inputs extends InstallPlan {
  choices: Plan["choices"];
}

async function readChanged(options: PlanSource, request: PlanRequest): Promise<Inputs> {
  const { environment, policy, revoked, signal } = request;
  const inputs = await readInputs(options, environment);
  const rules = {
    ...inputs.rules,
    ...(policy && { policy }),
    revocations: revoked ? [...inputs.rules.revocations, revoked] : inputs.rules.revocations,
  };
  const { add = [], remove = [], enable = [], disable = [] } = request.changes ?? {};
  const source = { client: options.registry, cache: options.cache, freshForMs: options.freshForMs };
  const open = add.filter(({ version }) => version === undefined);
  const choices = (await pinVersions(open, { source, rules, signal })).flatMap(({ choice }) => choice ?? []);
  const named = add.flatMap(({ name, version }) => (version === undefined ? [] : [{ name, version }]));
  const packages = applyChanges(inputs.entries, { remove, enable, disable }, [...named, ...choices]);
  return { ...inputs, rules, choices, packages };
}

/** Plans that find nothing new have the very same manifest. */
const identified = new WeakMap<Manifest, IdentifiedManifest>();

function identityOf(manifest: Manifest): IdentifiedManifest {
  const identity = identified.get(manifest) ?? identify(manifest);
  identified.set(manifest, identity);
  return identity;
}

const emptyManifest: Manifest = { format: 1, roots: {}, nodes: {} };

/** Fills in what the resolved graph changes. */
async function compare(
  { db, readManifest }: PlanSource,
  { inputs, resolved, plan }: { inputs: Inputs; resolved: Resolved; plan: Plan },
): Promise<void> {
  const { manifest, verdict, heldBack } = resolved;
  const { lockfileHash, blobs } = identityOf(manifest);
  const wanted = wantedBlobs(manifest, inputs.platforms);
  const known = await getBlobEntries(db.query, [...new Set([...wanted.keys(), ...blobs])]);
  const before = inputs.previous?.manifest ?? emptyManifest;
  const sizeOf = sizesOf(wanted, known);
  const names = new Set(Object.values(before.nodes).map(({ name }) => name));
  const hosts = (await listHosts(db.query)).filter((host) => host.environment === inputs.environment);
  Object.assign(plan, {
    lockfileHash,
    changed: lockfileHash !== inputs.current?.lockfileHash,
    changes: diffManifests(before, manifest, sizeOf).changes.map((change) => ({
      ...change,
      newTransitive: change.change === "added" && change.transitive && !names.has(change.name),
    })),
    nodes: Object.keys(manifest.nodes).length,
    fetch: toFetch(wanted, known),
    hosts: await hostPulls({ db, readManifest }, { hosts, manifest, known }),
    caps: judgeCaps(inputs.rules.policy.caps, measure(manifest, wanted, known)),
    flags: verdict.flags,
    waived: verdict.waived,
    heldBack,
    addedDependencies: verdict.added,
  } satisfies Partial<Plan>);
}

/** As stored; guessed for what would be fetched, which was never here. */
function sizesOf(wanted: ReadonlyMap<BlobKey, ManifestNode>, known: ReadonlyMap<BlobKey, KnownSize>): SizeOf {
  return (key) => {
    const node = wanted.get(key);
    return known.get(key) ?? (node && { sizeBytes: estimatePacked(node), unpackedBytes: node.unpackedBytes ?? 0 });
  };
}

function toFetch(wanted: ReadonlyMap<BlobKey, ManifestNode>, known: ReadonlyMap<BlobKey, KnownSize>): Plan["fetch"] {
  const missing = [...wanted].filter(([key]) => !known.has(key)).map(([, node]) => node);
  return {
    tarballs: missing.length,
    packedBytes: missing.reduce((sum, node) => sum + estimatePacked(node), 0),
    packedIsEstimate: missing.length > 0,
    unpackedBytes: missing.reduce((sum, { unpackedBytes = 0 }) => sum + unpackedBytes, 0),
  };
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10;
