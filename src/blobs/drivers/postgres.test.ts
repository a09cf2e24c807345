import { expect, test } from "bun:test";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { sql } from "drizzle-orm";
import { onBothDatabases } from "../../../test/harness/on-both-databases.ts";
import { startPostgres } from "../../../test/harness/postgres.ts";
import type { BlobKey } from "../../contract/index.ts";
import { beginBlobUpload, getBlobContent, openDatabase, putBlobChunk, sweepBlobUploads } from "../../db/index.ts";
import { testBlobStore } from "../conformance.ts";
import { openPostgresBlobStore } from "./postgres.ts";

onBothDatabases("the postgres blob store", ({ db, url }) => {
  const clear = async () => {
    await db().query.execute(sql`delete from blob_contents`);
    await db().query.execute(sql`delete from blob_uploads`);
  };

  testBlobStore(
    async () => {
      const open = () => openPostgresBlobStore(db());
      const damage = async (key: BlobKey) => {
        const { uploadId } = (await getBlobContent(db().query, key))!;
        await db().query.execute(
          sql`update blob_chunks set bytes = set_bit(bytes, 17, 1 - get_bit(bytes, 17)) where upload_id = ${uploadId} and position = 0`,
        );
      };
      // PGlite keeps its database in this process.
      return { store: await open(), damage, reopen: open, holdsContents: url() === undefined, [Symbol.asyncDispose]: clear };
    },
    { test, collectGarbage: () => Bun.gc(true), largeMib: process.env.LARDER_TEST_LARGE === undefined ? 64 : 200 },
  );

  test("I13: a given-up upload goes when it is old, a published one stays", async () => {
    const store = await openPostgresBlobStore(db());
    const key = "ab".repeat(64) as BlobKey;
    const uploadId = await beginBlobUpload(db().query, key);
    await putBlobChunk(db().query, { uploadId, position: 0, bytes: new Uint8Array(10) });
    const empty =
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
    await store.put(empty as BlobKey, (async function* () {})());
    await sweepBlobUploads(db().query, 3600_000);
    await putBlobChunk(db().query, { uploadId, position: 1, bytes: new Uint8Array(10) });
    await sweepBlobUploads(db().query, -1000);
    await expect(putBlobChunk(db().query, { uploadId, position: 2, bytes: new Uint8Array(10) })).rejects.toThrow("foreign key");
    expect(await store.head(empty as BlobKey)).toEqual({ sizeBytes: 0 });
    await clear();
  });
});

test("a database that is gone says so with a code and a hint, to every question", async () => {
  await using server = await startPostgres();
  const target = new URL(await server.createDatabase());
  const port = Number(target.port);
  const gate = createServer((socket) => {
    const inner = connect(port, "127.0.0.1");
    socket.pipe(inner).pipe(socket);
    for (const end of [socket, inner]) end.on("error", () => [socket, inner].forEach((each) => void each.destroy()));
    open.add(socket);
  });
  const open = new Set<Socket>();
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  target.port = String((gate.address() as AddressInfo).port);
  await using db = await openDatabase({ url: target.href });
  const store = await openPostgresBlobStore(db);
  gate.close();
  for (const socket of open) socket.destroy();
  const key = "ab".repeat(64) as BlobKey;
  for (const question of [() => store.head(key), () => store.get(key), () => Array.fromAsync(store.list())]) {
    await expect(question()).rejects.toMatchObject({ code: "E_STORE_UNAVAILABLE", retryable: true, hint: expect.any(String) });
  }
}, 30_000);
