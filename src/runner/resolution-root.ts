import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { LarderError, viewForPlatform } from "../contract/for-hosts.ts";
import { acquireLease, currentTree, type HostStore, readAccepted, readKeptManifest, type TreeRef } from "../host/index.ts";
import { exportsOf } from "./package-exports.ts";
import type { SceneInput } from "./scene.ts";

/** Where a run finds its packages, held until it is disposed. `tree` is absent on a host that never had packages: it runs without. */
export interface ResolutionRoot extends AsyncDisposable {
  readonly tree: TreeRef | undefined;
  describe(): Promise<TreeFacts>;
}

type TreeFacts = Pick<
  SceneInput,
  "hasTree" | "roots" | "unavailable" | "transitive" | "pending" | "currentRoots" | "generation" | "exportsOf"
>;
const noTree: TreeFacts = {
  hasTree: false,
  roots: [],
  unavailable: new Map(),
  transitive: new Set(),
  pending: new Map(),
  currentRoots: [],
  generation: 0,
  exportsOf: () => [],
};

/** Throws `E_NOT_READY` while the first tree is still to be built, `E_NOT_FOUND` for a generation whose tree is not here. */
export async function openResolutionRoot(store: HostStore, generation?: number): Promise<ResolutionRoot> {
  const lease = await acquireLease(store, { purpose: "run", ...(generation === undefined ? {} : { generation }) });
  if (lease) {
    return {
      tree: lease.tree,
      describe: () => describeTree(store, lease.tree),
      [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
    };
  }
  if (generation !== undefined) {
    throw new LarderError("E_NOT_FOUND", `The tree of generation ${generation} is not on this host.`, {
      hint: "Run against the current generation, or roll back to this one.",
      details: { generation },
    });
  }
  const accepted = await readAccepted(store);
  if (accepted) {
    throw new LarderError("E_NOT_READY", `Generation ${accepted.generation} is not built on this host yet.`, {
      hint: "Wait for the agent, or run: larder reconcile",
      retryable: true,
      details: { generation: accepted.generation },
    });
  }
  return {
    tree: undefined,
    describe: async () => noTree,
    async [Symbol.asyncDispose]() {},
  };
}

async function describeTree(store: HostStore, tree: TreeRef): Promise<TreeFacts> {
  const [manifest, accepted, current] = await Promise.all([
    readKeptManifest(store, tree.lockfileHash),
    readAccepted(store),
    currentTree(store),
  ]);
  const isBehind =
    accepted !== undefined && accepted.generation > tree.generation && accepted.generation > (current?.generation ?? 0);
  const next = isBehind ? await readKeptManifest(store, accepted.lockfileHash) : undefined;
  return {
    hasTree: true,
    roots: await rootNames(tree),
    unavailable: manifest ? viewForPlatform(manifest, store.platform).unavailable : new Map(),
    transitive: new Set(Object.values(manifest?.nodes ?? {}).map((node) => node.name)),
    pending: new Map(Object.keys(next?.roots ?? {}).map((name) => [name, accepted?.generation ?? 0])),
    currentRoots: current && current.lockfileHash !== tree.lockfileHash ? await rootNames(current) : [],
    generation: tree.generation,
    exportsOf: (name) => exportsOf(join(tree.path, "node_modules", name), name),
  };
}

async function rootNames({ path }: TreeRef): Promise<string[]> {
  const folder = join(path, "node_modules");
  const entries = await readdir(folder);
  const nested = await Promise.all(
    entries.map(async (entry) =>
      entry.startsWith("@") ? (await readdir(join(folder, entry))).map((name) => `${entry}/${name}`) : [entry],
    ),
  );
  return nested.flat().filter((name) => !name.startsWith("."));
}
