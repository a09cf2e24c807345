import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import { until } from "../../test/harness/until.ts";
import type { BlobKey } from "../contract/index.ts";
import { beginBlobUpload, getBlobChunk, putBlobChunk } from "./blob-uploads.ts";
import { tryElect } from "./election.ts";
import { ensureMeta, getMeta } from "./meta.ts";
import { openDatabase } from "./open-database.ts";

onBothDatabases("a database", ({ db, url }) => {
  test("a transaction is all or nothing", async () => {
    const failing = db().transaction(async (tx) => {
      await ensureMeta(tx, "half", "x");
      throw new Error("stop");
    });
    await expect(failing).rejects.toThrow("stop");
    await failing.catch(() => {});
    expect(await getMeta(db().query, "half")).toBeUndefined();
  });

  test("bytes come back as they went in: every one, none, a part of a larger buffer, and many", async () => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (const bytes of [every, new Uint8Array(), every.subarray(10, 20), Buffer.alloc(3 << 20, "ÿ\0")]) {
      const uploadId = await beginBlobUpload(db().query, "00" as BlobKey);
      await putBlobChunk(db().query, { uploadId, position: 0, bytes });
      expect(Buffer.compare((await getBlobChunk(db().query, uploadId, 0)) as Uint8Array, bytes)).toBe(0);
    }
  });

  test("concurrent transactions and queries do not mix", async () => {
    await ensureMeta(db().query, "counter", "0");
    const increment = () =>
      db().transaction(async (tx) => {
        await tx.execute(sql`select value from meta where key = 'counter' for update`);
        const value = Number(await getMeta(tx, "counter"));
        await tx.execute(sql`update meta set value = ${String(value + 1)} where key = 'counter'`);
      });
    await Promise.all(Array.from({ length: 30 }, increment));
    expect(await getMeta(db().query, "counter")).toBe("30");
  });

  test("a notification arrives when its transaction commits, and not when it does not", async () => {
    const heard: string[] = [];
    await using _listener = await db().listen((payload) => heard.push(payload));
    const undone = db().transaction(async (tx) => {
      await db().notify(tx, "undone");
      throw new Error("stop");
    });
    await undone.catch(() => {});
    await db().transaction((tx) => db().notify(tx, "done"));
    await db().notify(db().query, "é".repeat(3999));
    await until("both are heard", () => heard.length === 2);
    expect(heard).toEqual(["done", "é".repeat(3999)]);
    await expect(db().notify(db().query, "x".repeat(8000))).rejects.toThrow("7999");
  });

  test("a disposed listener hears nothing more", async () => {
    const heard: string[] = [];
    const other: string[] = [];
    const listener = await db().listen((payload) => heard.push(payload));
    await using _other = await db().listen((payload) => other.push(payload));
    await listener[Symbol.asyncDispose]();
    await db().notify(db().query, "late");
    await until("the other hears it", () => other.length === 1);
    expect(heard).toEqual([]);
  });

  test("one is elected at a time, with a higher epoch each time", async () => {
    const first = await tryElect(db());
    expect(first?.signal.aborted).toBe(false);
    expect(await tryElect(db())).toBeUndefined();
    await first?.[Symbol.asyncDispose]();
    await using second = await tryElect(db());
    expect(second?.epoch).toBe(first!.epoch + 1);
    expect(first?.signal.aborted).toBe(false);
  });

  test("of many that try at once, one is elected", async () => {
    const address = url();
    const replicas =
      address === undefined ? [db(), db(), db()] : await Promise.all([1, 2, 3].map(() => openDatabase({ url: address })));
    const elections = await Promise.all(replicas.flatMap((replica) => [tryElect(replica), tryElect(replica)]));
    const won = elections.filter((election) => election !== undefined);
    expect(won).toHaveLength(1);
    await won[0]![Symbol.asyncDispose]();
    if (address !== undefined) for (const replica of replicas) await replica[Symbol.asyncDispose]();
  });
});
