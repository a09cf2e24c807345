import { afterAll, beforeAll, describe, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { type S3Server, startS3 } from "../../../test/harness/s3.ts";
import type { BlobKey } from "../../contract/index.ts";
import { testBlobStore } from "../conformance.ts";
import { openS3BlobStore } from "./s3.ts";

let server: S3Server;
beforeAll(async () => {
  server = await startS3();
}, 30_000);
afterAll(() => server[Symbol.asyncDispose]());

describe("the s3 blob store", () => {
  testBlobStore(
    async () => {
      const prefix = randomUUID();
      const open = () => openS3BlobStore({ ...server, prefix });
      const damage = async (key: BlobKey) => {
        const path = server.pathOf(`${prefix}/${key.slice(0, 2)}/${key}`);
        const bytes = await readFile(path);
        bytes[17]! ^= 1;
        await writeFile(path, bytes);
      };
      const store = await open();
      return { store, damage, reopen: open, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
    },
    { test, collectGarbage: () => Bun.gc(true) },
  );
});
