import { expect, test } from "bun:test";
import { join } from "node:path";
import { openTempDir } from "../../../test/harness/temp-dir.ts";
import { getActiveStore, openDatabase } from "../../db/index.ts";
import { silentLogger } from "../../lib/index.ts";
import type { ServerConfig } from "../server-config.ts";
import { commitTestGeneration } from "../testing/test-generation.ts";
import { openTestServer, refusalOf } from "../testing/test-server.ts";
import { createConfiguredStores } from "./configured-stores.ts";
import { openActiveStore } from "./open-active-store.ts";

async function scene() {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await openTempDir("active-store"));
  const db = stack.use(await openDatabase({ memory: true }));
  return {
    db,
    /** As a server starts: what is active then, or why it does not start. */
    async start(config: Partial<ServerConfig> = {}) {
      await using stores = createConfiguredStores(config, { db, controlDirectory: directory.path });
      await openActiveStore({ db, stores, logger: silentLogger, config: { database: "embedded", ...config } });
      return await getActiveStore(db.query);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test("the first start decides: fs, or the database when there is one of its own; later ones ask the record", async () => {
  await using alone = await scene();
  expect(await alone.start()).toBe("fs");
  await using replicas = await scene();
  expect(await replicas.start({ database: { url: "postgres://x" } })).toBe("postgres");
  expect(await replicas.start()).toBe("postgres");
});

test("another store may be named while nothing is stored", async () => {
  await using empty = await scene();
  expect(await empty.start({ blobStore: "fs" })).toBe("fs");
  expect(await empty.start({ blobStore: "postgres" })).toBe("postgres");
});

test("naming another store than the one that holds blobs is refused, with the way to move them", async () => {
  await using directory = await openTempDir("data");
  const config = { dataDirectory: directory.path, database: "embedded", blobStore: "fs" } as const;
  {
    await using server = await openTestServer(config);
    await commitTestGeneration(server.context, { content: Buffer.from("hello") });
  }
  const refused = await refusalOf(openTestServer({ ...config, blobStore: "postgres" }));
  expect([refused.code, refused.hint]).toEqual(["E_CONFLICT", expect.stringContaining("larder storage migrate postgres")]);
  await using again = await openTestServer({ ...config, blobStore: undefined });
  expect(await again.admin.storage.status()).toMatchObject({ active: "fs", blobs: 1 });
}, 20_000);

test("a store that was not configured is refused by name, whether it is wanted or was active", async () => {
  await using empty = await scene();
  expect(await refusalOf(empty.start({ blobStore: "s3" }))).toMatchObject({
    code: "E_CONFIG",
    hint: expect.stringContaining("--s3-bucket"),
  });
  await empty.start({ blobStore: "memory" });
  expect(await refusalOf(empty.start())).toMatchObject({ code: "E_CONFIG", message: expect.stringContaining("memory") });
});

test("a server starts although its store does not answer, but not when the store is set up wrongly", async () => {
  await using empty = await scene();
  const s3 = { bucket: "larder", endpoint: "http://127.0.0.1:9", credentials: { accessKeyId: "x", secretAccessKey: "x" } };
  expect(await empty.start({ blobStore: "s3", s3 })).toBe("s3");
  await using directory = await openTempDir("file");
  await Bun.write(join(directory.path, "file"), "x");
  const otherStores = {
    tape: async () => (await import("../../blobs/index.ts")).openBlobStore({ driver: "fs", directory: directory.join("file") }),
  };
  expect(await refusalOf(empty.start({ blobStore: "tape", otherStores }))).toMatchObject({ code: "E_CONFIG" });
}, 20_000);
