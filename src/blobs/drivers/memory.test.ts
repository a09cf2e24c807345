import { describe, test } from "bun:test";
import type { BlobKey } from "../../contract/index.ts";
import { testBlobStore } from "../conformance.ts";
import { createMemoryBlobStore } from "./memory.ts";

describe("the memory blob store", () => {
  testBlobStore(
    async () => {
      const contents = new Map<BlobKey, Uint8Array>();
      const store = createMemoryBlobStore(contents);
      const damage = async (key: BlobKey) => {
        contents.get(key)![17]! ^= 1;
      };
      return {
        store,
        damage,
        reopen: async () => createMemoryBlobStore(contents),
        holdsContents: true,
        async [Symbol.asyncDispose]() {},
      };
    },
    { test, collectGarbage: () => Bun.gc(true) },
  );
});
