import { LarderError } from "../contract/index.ts";
import type { BlobStore } from "./blob-store.ts";

/** The blob stores that this process was told how to reach, by name. Disposal closes those that were opened. */
export interface BlobStores extends AsyncDisposable {
  readonly names: readonly string[];
  /** Opened when first asked for, then kept; one that could not be opened is tried again. Throws `E_INPUT` for a name that is none. */
  open(name: string): Promise<BlobStore>;
}

export function createBlobStores(configured: Readonly<Record<string, () => Promise<BlobStore>>>): BlobStores {
  const opened = new Map<string, Promise<BlobStore>>();
  const names = Object.keys(configured);
  return {
    names,
    async open(name) {
      const known = opened.get(name);
      if (known) return await known;
      const openIt = Object.hasOwn(configured, name) ? configured[name] : undefined;
      if (openIt === undefined) {
        throw new LarderError("E_INPUT", `This server was not told how to reach a blob store ${JSON.stringify(name)}.`, {
          hint: `It knows ${names.join(", ")}; s3 needs --s3-bucket.`,
        });
      }
      const opening = openNamed(name, openIt);
      opened.set(name, opening);
      opening.catch(() => opened.delete(name));
      return await opening;
    },
    async [Symbol.asyncDispose]() {
      const stores = await Promise.allSettled(opened.values());
      opened.clear();
      for (const store of stores) if (store.status === "fulfilled") await store.value[Symbol.asyncDispose]();
    },
  };
}

/** The index records the store's own name: it must be the one that it is found by. */
async function openNamed(name: string, openIt: () => Promise<BlobStore>): Promise<BlobStore> {
  const store = await openIt();
  if (store.name === name) return store;
  await store[Symbol.asyncDispose]();
  throw new LarderError("E_CONFIG", `The blob store ${name} calls itself ${JSON.stringify(store.name)}.`, {
    hint: "A driver's `name` must be the one that it is configured by.",
  });
}
