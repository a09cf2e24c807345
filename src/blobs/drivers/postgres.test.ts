import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { onBothDatabases } from "../../../test/harness/on-both-databases.ts";
import type { BlobKey } from "../../contract/index.ts";
import { beginBlobUpload, getBlobContent, putBlobChunk, sweepBlobUploads } from "../../db/index.ts";
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
    { test, collectGarbage: () => Bun.gc(true) },
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
