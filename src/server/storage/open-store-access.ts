import { type BlobStore, type BlobStoreOptions, openBlobStore } from "../../blobs/index.ts";
import { LarderError } from "../../contract/index.ts";
import type { StoreAccess } from "../../operations/index.ts";

/** The blob stores by name, each opened when it is first asked for; one that could not be opened is tried again. */
export function openStoreAccess(options: Readonly<Record<string, BlobStoreOptions>>): StoreAccess & AsyncDisposable {
  const opened = new Map<string, Promise<BlobStore>>();
  return {
    names: Object.keys(options),
    async open(name) {
      const known = opened.get(name);
      if (known) return await known;
      const wanted = options[name];
      if (wanted === undefined) {
        throw new LarderError("E_INPUT", `There is no blob store ${name}.`, {
          hint: `This server knows ${Object.keys(options).join(", ")}.`,
        });
      }
      const opening = openBlobStore(wanted);
      opened.set(name, opening);
      opening.catch(() => opened.delete(name));
      return await opening;
    },
    async [Symbol.asyncDispose]() {
      for (const store of await Promise.allSettled(opened.values())) {
        if (store.status === "fulfilled") await store.value[Symbol.asyncDispose]();
      }
    },
  };
}
