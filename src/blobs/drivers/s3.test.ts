import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type S3Server, startS3 } from "../../../test/harness/s3.ts";
import type { BlobKey } from "../../contract/index.ts";
import { armFailpoints } from "../../lib/index.ts";
import { testBlobStore } from "../conformance.ts";
import type { S3Options } from "../s3/s3-options.ts";
import { contentOf, forgetFaults, keyOf, large, once, openStore, small } from "../testing/s3-store.ts";
import { openS3BlobStore } from "./s3.ts";

const largeMib = process.env.LARDER_TEST_LARGE === undefined ? 64 : 200;

let server: S3Server;
beforeAll(async () => {
  server = await startS3();
}, 30_000);
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => forgetFaults(server));

const open = (options?: Partial<S3Options>) => openStore(server, options);

describe("the s3 blob store", () => {
  testBlobStore(
    async () => {
      const { store, prefix, nameOf } = await open({ linkSeconds: 60 });
      const damage = async (key: BlobKey) => {
        const path = server.pathOf(nameOf(key));
        const bytes = await readFile(path);
        bytes[17]! ^= 1;
        await writeFile(path, bytes);
      };
      const reopen = () => openS3BlobStore({ ...server, prefix });
      const takeAway = () => server.fault({ times: 999, what: { kind: "status", status: 404, code: "NoSuchBucket" } });
      return { store, damage, reopen, takeAway, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
    },
    { test, collectGarbage: () => Bun.gc(true), largeMib },
  );
});

describe("in the bucket", () => {
  test("blobs lie below the prefix, in 256 folders; others' objects are not listed", async () => {
    await using opened = await open({ prefix: "/deep/larder/" });
    const key = keyOf(small);
    await opened.store.put(key, once(small));
    expect(await readFile(server.pathOf(`deep/larder/${key.slice(0, 2)}/${key}`))).toEqual(small);
    await mkdir(join(server.pathOf("deep/larder/zz/x"), ".."), { recursive: true });
    await writeFile(server.pathOf("deep/larder/zz/notes"), "x");
    await writeFile(server.pathOf(`deep/larder/zz/${"0".repeat(128)}`), "x");
    expect(await Array.fromAsync(opened.store.list())).toEqual([{ key, sizeBytes: small.byteLength }]);
  });

  test("I13: uploads that were given up long ago go when the store is opened, and an aborted put leaves none", async () => {
    await using opened = await open();
    const { store, prefix } = opened;
    for (const [id, ageMs, key] of [
      ["old", 25 * 3600_000, `${prefix}/ab/x`],
      ["young", 3600_000, `${prefix}/ab/y`],
      ["others", 25 * 3600_000, "x"],
    ] as const) {
      await mkdir(join(server.uploads, id), { recursive: true });
      await writeFile(join(server.uploads, id, "key"), key);
      await utimes(join(server.uploads, id, "key"), new Date(), new Date(Date.now() - ageMs));
    }
    async function* broken() {
      yield* once(large);
      throw new Error("broke");
    }
    await expect(store.put(keyOf(large), broken())).rejects.toThrow("broke");
    await expect(store.put("0".repeat(128) as BlobKey, once(large))).rejects.toMatchObject({ code: "E_INTEGRITY" });
    await (await openS3BlobStore({ ...server, prefix }))[Symbol.asyncDispose]();
    expect((await readdir(server.uploads)).sort()).toEqual(["others", "young"]);
  }, 20_000);

  test.each(["blob-s3:after-put", "blob-s3:before-complete"])(
    "I12: who dies at %s has put all or nothing, and the next put ends well",
    async (point) => {
      await using opened = await open();
      const { store } = opened;
      const bytes = point === "blob-s3:after-put" ? small : large;
      armFailpoints((name) => {
        if (name === point) throw new Error("died");
      });
      await expect(store.put(keyOf(bytes), once(bytes))).rejects.toThrow("died");
      armFailpoints(undefined);
      if ((await store.head(keyOf(bytes))) !== undefined)
        expect(Buffer.compare(await contentOf(store, keyOf(bytes)), bytes)).toBe(0);
      await store.put(keyOf(bytes), once(bytes));
      expect(Buffer.compare(await contentOf(store, keyOf(bytes)), bytes)).toBe(0);
    },
  );

  test("server-side encryption is asked for with every object", async () => {
    await using opened = await open({ encryption: { algorithm: "aws:kms", keyId: "alias/larder" } });
    for (const bytes of [small, large]) await opened.store.put(keyOf(bytes), once(bytes));
    const writes = (await server.requests()).filter(
      ({ method, url }) => (method === "PUT" && !url.includes("partNumber")) || url.includes("uploads"),
    );
    expect(writes).toHaveLength(2);
    for (const { headers } of writes) {
      expect(headers).toMatchObject({
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "alias/larder",
      });
    }
  }, 20_000);

  test("links are given out only when asked for, work without credentials, for parts too, and for no other object", async () => {
    await using opened = await open({ linkSeconds: 60 });
    const key = keyOf(small);
    await opened.store.put(key, once(small));
    const link = (await opened.store.link(key)) ?? "";
    expect(await (await fetch(link)).bytes()).toEqual(new Uint8Array(small));
    const part = await fetch(link, { headers: { range: "bytes=100-199" } });
    expect([part.status, await part.bytes()]).toEqual([206, new Uint8Array(small.subarray(100, 200))]);
    expect((await fetch(link.replace(key, keyOf(large)))).status).toBe(403);
    await using without = await open();
    expect(await without.store.link(key)).toBeUndefined();
  });
});
