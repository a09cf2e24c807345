import { expect, test } from "bun:test";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import type { BlobKey } from "../contract/index.ts";
import { getBlobEntry, putBlobEntry } from "./blob-index.ts";
import { getQuarantinedStores, listQuarantinedBlobs, quarantineBlob, releaseBlob } from "./blob-quarantine.ts";

const keyOf = (digit: string) => digit.repeat(128) as BlobKey;

onBothDatabases("quarantine", ({ db }) => {
  test("names each bad copy once, with what was found first", async () => {
    const tx = db().query;
    await quarantineBlob(tx, { key: keyOf("a"), store: "fs", reason: "corrupt" });
    await quarantineBlob(tx, { key: keyOf("a"), store: "fs", reason: "missing" });
    await quarantineBlob(tx, { key: keyOf("a"), store: "s3", reason: "missing" });
    expect(await getQuarantinedStores(tx, [keyOf("a"), keyOf("b")])).toEqual(new Map([[keyOf("a"), ["fs", "s3"]]]));
    expect(await listQuarantinedBlobs(tx)).toMatchObject([
      { key: keyOf("a"), store: "fs", reason: "corrupt" },
      { key: keyOf("a"), store: "s3", reason: "missing" },
    ]);
    await releaseBlob(tx, { key: keyOf("a"), store: "fs" });
    await releaseBlob(tx, { key: keyOf("a"), store: "fs" });
    expect(await listQuarantinedBlobs(tx, 1)).toMatchObject([{ store: "s3" }]);
  });

  test("ends for the store that good bytes were put into, which is where they are read from then on", async () => {
    const tx = db().query;
    const key = keyOf("c");
    await putBlobEntry(tx, { key, sizeBytes: 1, store: "fs" });
    await quarantineBlob(tx, { key, store: "fs", reason: "corrupt" });
    await quarantineBlob(tx, { key, store: "s3", reason: "corrupt" });
    await putBlobEntry(tx, { key, sizeBytes: 1, store: "s3" });
    expect((await getQuarantinedStores(tx, [key])).get(key)).toEqual(["fs"]);
    expect(await getBlobEntry(tx, key)).toMatchObject({ store: "s3" });
  });
});
