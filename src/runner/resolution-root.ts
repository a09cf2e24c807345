import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { LarderError, type LockfileHash, type Manifest, viewForPlatform } from "../contract/index.ts";
import { acquireLease, type HostStore, readAccepted, type TreeRef } from "../host/index.ts";
import type { SceneInput } from "./scene.ts";

/** Where a run finds its packages, held until it is disposed. `tree` is absent on a host that never had packages: it runs without. */
export interface ResolutionRoot extends AsyncDisposable {
  readonly tree: TreeRef | undefined;
  describe(): Promise<TreeFacts>;
}

type TreeFacts = Pick<SceneInput, "hasTree" | "roots" | "unavailable" | "transitive">;
const noTree: TreeFacts = { hasTree: false, roots: [], unavailable: new Map(), transitive: new Set() };

interface RootOptions {
  generation: number | undefined;
  readManifest: ((lockfileHash: LockfileHash) => Promise<Manifest | undefined>) | undefined;
}

/** Throws `E_NOT_READY` while the first tree is still to be built, `E_NOT_FOUND` for a generation whose tree is not here. */
export async function openResolutionRoot(store: HostStore, { generation, readManifest }: RootOptions): Promise<ResolutionRoot> {
  const lease = await acquireLease(store, { purpose: "run", ...(generation === undefined ? {} : { generation }) });
  if (lease) {
    return {
      tree: lease.tree,
      async describe() {
        const manifest = await readManifest?.(lease.tree.lockfileHash);
        return {
          hasTree: true,
          roots: await rootNames(lease.tree),
          unavailable: manifest ? viewForPlatform(manifest, store.platform).unavailable : new Map(),
          transitive: new Set(Object.values(manifest?.nodes ?? {}).map((node) => node.name)),
        };
      },
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
