import { LRUCache } from "lru-cache";
import type { DesiredOffer, LockfileHash } from "../contract/for-hosts.ts";
import { createPlanMemory, type PlanMemory, type TreePlan, type TreeRef } from "../host/index.ts";
import { createManifestMemory, type ManifestMemory } from "./manifest-cache.ts";

/** What one pass leaves for the next of the same process: with it, a pass that finds nothing new is one conditional request. */
export interface ReconcileMemory {
  identified: boolean;
  /** The token was tried: a host that is refused does not join again and again. */
  joined?: boolean;
  /** The announced signing key that was heeded. */
  nextKeyId?: string;
  /** Of the desired state that `tree` serves. */
  etag?: string | undefined;
  tree?: TreeRef | undefined;
  /** A desired state that came with an event, for the next pass. */
  offer?: DesiredOffer | undefined;
  /** When this process last swept, by `performance.now()`. */
  sweptAt?: number;
  /** What a verification found, less what was made anew since. */
  damaged: { packages: Set<string>; trees: Set<string> };
  /** Trees that this process has built or looked at, and what their platform lacks: while they are there, they are whole. */
  whole: LRUCache<LockfileHash, TreePlan["unavailable"]>;
  manifests: ManifestMemory;
  plans: PlanMemory;
}

/** More than a host keeps. */
const rememberedTrees = 20;

export const createReconcileMemory = (): ReconcileMemory => ({
  identified: false,
  damaged: { packages: new Set(), trees: new Set() },
  whole: new LRUCache({ max: rememberedTrees }),
  manifests: createManifestMemory(),
  plans: createPlanMemory(),
});

export const isDamaged = (plan: TreePlan, damaged: ReconcileMemory["damaged"]): boolean =>
  damaged.trees.has(plan.lockfileHash) || plan.packages.some(({ key }) => damaged.packages.has(key));
