import { type DesiredState, hasCode } from "../contract/for-hosts.ts";
import {
  currentTree,
  describeDiskError,
  flipCurrent,
  hasTree,
  materialise,
  missingPackages,
  planTree,
  type TreePlan,
  type TreeRef,
} from "../host/index.ts";
import { failpoint } from "../lib/index.ts";
import { checkAfterBoot } from "./check-after-boot.ts";
import type { DesiredAnswer } from "./control-plane.ts";
import { establishIdentity, joinControlPlane } from "./establish-identity.ts";
import { acceptOffer, heedAnnouncement, type Offer } from "./follow-keys.ts";
import { loadManifest, prepareForDelta } from "./manifest-cache.ts";
import type { Pass, ReconcileOptions, ReconcileResult } from "./pass.ts";
import { createReconcileMemory, isDamaged } from "./reconcile-memory.ts";
import { sayHowMuch } from "./say-how-much.ts";
import { createStopwatch } from "./stopwatch.ts";
import { mendRest, tidy, tidyNowAndThen } from "./tidy.ts";

/**
 * Makes `current` the tree that the control plane wants. Throws what stops it; then `current` serves what it did, and the next pass does only what is
 * left. Passes of one writer must not overlap.
 */
export async function reconcileOnce(options: ReconcileOptions): Promise<ReconcileResult> {
  const { memory = createReconcileMemory() } = options;
  const pass: Pass = {
    ...options,
    memory,
    signal: options.signal ?? new AbortController().signal,
    stopwatch: createStopwatch(),
    done: { pulledBytes: 0, pulledBlobs: 0, packagesBuilt: 0, reused: 0 },
    unavailable: [],
  };
  try {
    const result = await converge(pass);
    // For a process that stays, and only now: `current` is flipped.
    if (options.memory) prepareForDelta(memory.manifests);
    return result;
  } catch (error) {
    memory.etag = undefined;
    const { store } = options.writer;
    throw await sayHowMuch(describeDiskError(error, store.directory), { store, building: pass.building });
  }
}

async function converge(pass: Pass): Promise<ReconcileResult> {
  const { writer, controlPlane, memory, stopwatch, recheckAfterMs = 500 } = pass;
  await stopwatch.measure("settle", () => checkAfterBoot(writer, pass));
  if (!memory.identified) {
    const { joined } = await stopwatch.measure("identity", () => establishIdentity(writer, controlPlane, pass));
    memory.identified = true;
    memory.joined ||= joined;
  }
  const answer = (await takeOffer(pass)) ?? (await stopwatch.measure("desired", () => askDesired(pass)));
  if (answer.kind === "notModified") {
    await heed(pass, answer);
    await tidyNowAndThen(pass);
    return finish(pass, "unchanged", memory.tree);
  }
  if (answer.kind === "none") return finish(pass, "none", await currentTree(writer.store));
  let offer: Offer = answer;
  let offeredAt = performance.now();
  for (;;) {
    const desired = await stopwatch.measure("accept", () => acceptOffer(pass, offer));
    await heed(pass, offer);
    if (await isServed(pass, desired)) {
      memory.etag = offer.etag;
      await mendRest(pass);
      return finish(pass, "unchanged", memory.tree);
    }
    if (!(await isWhole(pass, desired))) {
      await build(pass, desired);
      await failpoint("reconcile:before-recheck");
    }
    const newer = performance.now() - offeredAt < recheckAfterMs ? undefined : await newerThan(pass, offer);
    if (newer) {
      offer = newer;
      offeredAt = performance.now();
      continue;
    }
    memory.tree = await stopwatch.measure("flip", () => flipCurrent(writer, desired));
    memory.etag = offer.etag;
    await failpoint("reconcile:after-flip");
    await tidy(pass, desired.lockfileHash);
    await mendRest(pass);
    return finish(pass, "flipped", memory.tree);
  }
}

/** What an event brought, if this host may go by it; else what it asks for decides, and says what is wrong. */
async function takeOffer(pass: Pass): Promise<Offer | undefined> {
  const { offer: brought } = pass.memory;
  pass.memory.offer = undefined;
  if (brought === undefined) return undefined;
  const offer: Offer = { kind: "ok", ...brought, time: undefined };
  return (await acceptOffer(pass, offer).catch(() => undefined)) && offer;
}

/** A host that is no longer known joins anew, if it was started with a token for that. */
async function askDesired(pass: Pass): Promise<DesiredAnswer> {
  const { writer, controlPlane, memory, signal, token } = pass;
  try {
    return await controlPlane.desired(memory.etag, signal);
  } catch (error) {
    if (!hasCode(error, "E_UNAUTHENTICATED") || token === undefined || memory.joined) throw error;
    memory.joined = true;
    await joinControlPlane(writer, controlPlane, { ...pass, token });
    return await controlPlane.desired(memory.etag, signal);
  }
}

/** Once for each key, as long as it works. */
async function heed(pass: Pass, { nextKeyId }: { nextKeyId?: string | undefined }): Promise<void> {
  if (nextKeyId === undefined || nextKeyId === pass.memory.nextKeyId) return;
  await heedAnnouncement(pass, nextKeyId);
  pass.memory.nextKeyId = nextKeyId;
}

/** True when `current` is the desired tree, whole, under the desired generation. */
async function isServed(pass: Pass, desired: DesiredState): Promise<boolean> {
  const { writer, memory, stopwatch } = pass;
  const tree = await currentTree(writer.store);
  if (tree?.lockfileHash !== desired.lockfileHash || tree.generation !== desired.generation) return false;
  // A tree that this process has built or looked at is whole; a process's first look is a real one.
  if (memory.tree?.lockfileHash !== tree.lockfileHash) {
    const plan = await planned(pass, desired);
    const missing = await stopwatch.measure("check", () => missingPackages(writer.store, plan));
    if (missing.length > 0 || isDamaged(plan, memory.damaged)) return false;
    memory.whole.set(plan.lockfileHash, plan.unavailable);
  }
  memory.tree = tree;
  return true;
}

/** True when there is nothing to build, which takes no manifest and no plan to say. */
async function isWhole(pass: Pass, { lockfileHash }: DesiredState): Promise<boolean> {
  const { whole, damaged } = pass.memory;
  const unavailable = whole.get(lockfileHash);
  if (unavailable === undefined || damaged.packages.size > 0 || damaged.trees.size > 0) return false;
  if (!(await hasTree(pass.writer.store, lockfileHash))) return false;
  pass.unavailable = unavailable;
  return true;
}

async function planned(pass: Pass, desired: DesiredState): Promise<TreePlan> {
  const { writer, controlPlane, memory, stopwatch, signal } = pass;
  const manifest = await stopwatch.measure("manifest", () =>
    loadManifest(writer, controlPlane, { digests: desired, memory: memory.manifests, signal }),
  );
  const plan = await stopwatch.measure("plan", async () =>
    planTree(manifest, { lockfileHash: desired.lockfileHash, platform: writer.store.platform, memory: memory.plans }),
  );
  pass.unavailable = plan.unavailable;
  pass.building = { manifest, plan };
  return plan;
}

async function build(pass: Pass, desired: DesiredState): Promise<void> {
  const { writer, controlPlane, stopwatch, signal, onProgress, memory, done } = pass;
  const { damaged } = memory;
  const plan = await planned(pass, desired);
  const made = await stopwatch.measure("materialise", () =>
    materialise(writer, plan, {
      fetchBlob: (key, blobSignal) => controlPlane.blob(key, blobSignal),
      ...(controlPlane.blobs ? { fetchBlobs: controlPlane.blobs } : {}),
      signal,
      ...(onProgress ? { onProgress } : {}),
      ...(isDamaged(plan, damaged)
        ? { rebuild: { packages: damaged.packages, tree: damaged.trees.has(plan.lockfileHash) } }
        : {}),
    }),
  );
  for (const { key } of plan.packages) damaged.packages.delete(key);
  damaged.trees.delete(plan.lockfileHash);
  memory.whole.set(plan.lockfileHash, plan.unavailable);
  done.pulledBytes += made.pulledBytes;
  done.pulledBlobs += made.pulledBlobs;
  done.packagesBuilt += made.packagesBuilt;
}

/** Newest wins: what the control plane wants now, if that is no longer what was built. */
async function newerThan({ controlPlane, stopwatch, signal, logger }: Pass, built: Offer): Promise<Offer | undefined> {
  try {
    const answer = await stopwatch.measure("recheck", () => controlPlane.desired(built.etag, signal));
    if (answer.kind !== "ok" || answer.signed.desired.generation <= built.signed.desired.generation) return undefined;
    return answer;
  } catch (error) {
    if (!hasCode(error, "E_SERVER_UNREACHABLE")) throw error;
    logger.debug({ err: error }, "flipping to the newest generation that is known");
    return undefined;
  }
}

function finish({ done, unavailable, stopwatch }: Pass, kind: ReconcileResult["kind"], tree?: TreeRef): ReconcileResult {
  const { pulledBytes, pulledBlobs, packagesBuilt } = done;
  return {
    kind,
    ...(tree ? { tree } : {}),
    pulledBytes,
    pulledBlobs,
    packagesBuilt,
    unavailable,
    timingsMs: stopwatch.timingsMs(),
  };
}
