import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { BlobKey } from "../contract/index.ts";
import type { BlobStore } from "./blob-store.ts";

export interface ConformanceSubject extends AsyncDisposable {
  store: BlobStore;
  /** A second store on the same contents, as another process would open it. */
  reopen(): Promise<BlobStore>;
  /** Changes one stored bit behind the driver's back. */
  damage(key: BlobKey): Promise<void>;
  /** True when the driver itself holds whole blobs (memory), so that memory is not measured. */
  holdsContents?: boolean;
  /** Makes what the store lives on unusable for good, if that can be done. */
  takeAway?(): Promise<void>;
}

type Test = (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/** What every driver must do. Call inside a `describe`; each test opens a subject of its own. Memory is measured after `collectGarbage`. */
export function testBlobStore(
  open: () => Promise<ConformanceSubject>,
  { test, collectGarbage, largeMib = 64 }: { test: Test; collectGarbage(): void; largeMib?: number },
): void {
  const check = (name: string, body: (subject: ConformanceSubject) => Promise<void>, timeoutMs = 10_000) =>
    test(
      name,
      async () => {
        await using subject = await open();
        await body(subject);
      },
      timeoutMs,
    );

  check("gives back what was put, also to another opener", async ({ store, reopen }) => {
    for (const bytes of [randomBytes(300_000), randomBytes(1), new Uint8Array()]) {
      deepEqual(await store.put(keyOf(bytes), pieces(bytes, 7919)), { sizeBytes: bytes.byteLength });
      deepEqual(await contentOf(store, keyOf(bytes)), Buffer.from(bytes));
      const other = await reopen();
      deepEqual(await contentOf(other, keyOf(bytes)), Buffer.from(bytes));
      deepEqual(await other.head(keyOf(bytes)), { sizeBytes: bytes.byteLength });
      await other[Symbol.asyncDispose]();
    }
  });

  check("absent is undefined", async ({ store }) => {
    const key = keyOf(randomBytes(8));
    equal(await store.get(key), undefined);
    equal(await store.head(key), undefined);
    await store.delete(key);
    deepEqual(await keysIn(store), []);
  });

  check("refuses bytes that do not hash to the key, or are not as many as declared", async ({ store }) => {
    const bytes = randomBytes(100_000);
    const key = keyOf(bytes);
    await rejects(store.put(key, pieces(randomBytes(100_000), 4096)), { code: "E_INTEGRITY" });
    await rejects(store.put(key, pieces(bytes.subarray(1), 4096)), { code: "E_INTEGRITY" });
    await rejects(store.put(key, pieces(new Uint8Array(), 4096)), { code: "E_INTEGRITY" });
    await rejects(store.put(key, pieces(bytes, 4096), { sizeBytes: 99_999 }), { code: "E_INTEGRITY" });
    await rejects(store.put(key, pieces(bytes, 4096), { sizeBytes: 100_001 }), { code: "E_INTEGRITY" });
    equal(await store.head(key), undefined);
    deepEqual(await store.put(key, pieces(bytes, 4096), { sizeBytes: 100_000 }), { sizeBytes: 100_000 });
  });

  check("a put that stops halfway is never visible, and can be done again", async ({ store }) => {
    const bytes = randomBytes(3 << 20);
    const key = keyOf(bytes);
    async function* torn() {
      yield bytes.subarray(0, 2 << 20);
      equal(await store.head(key), undefined);
      throw new Error("the source broke");
    }
    await rejects(store.put(key, torn()), /the source broke/);
    equal(await store.head(key), undefined);
    equal(await store.get(key), undefined);
    deepEqual(await keysIn(store), []);
    await store.put(key, pieces(bytes, 1 << 16));
    deepEqual(await contentOf(store, key), bytes);
  });

  check("a failed put leaves the content that was there", async ({ store }) => {
    const bytes = randomBytes(10_000);
    const key = keyOf(bytes);
    await store.put(key, pieces(bytes, 4096));
    await rejects(store.put(key, pieces(randomBytes(10_000), 4096)), { code: "E_INTEGRITY" });
    deepEqual(await contentOf(store, key), bytes);
  });

  check("an aborted put or get stops with the signal's reason", async ({ store }) => {
    const bytes = randomBytes(3 << 20);
    const key = keyOf(bytes);
    const reason = new Error("enough");
    await rejects(store.put(key, pieces(bytes, 4096), { signal: AbortSignal.abort(reason) }), reason);
    const stop = new AbortController();
    async function* source() {
      yield bytes.subarray(0, 1 << 20);
      stop.abort(reason);
      yield bytes.subarray(1 << 20);
    }
    await rejects(store.put(key, source(), { signal: stop.signal }), reason);
    equal(await store.head(key), undefined);
    await store.put(key, pieces(bytes, 1 << 16));
    await rejects(contentOf(store, key, { signal: AbortSignal.abort(reason) }), reason);
  });

  check("many puts of one key at once all succeed, and readers never see a part", async ({ store }) => {
    const bytes = randomBytes(1_500_000);
    const key = keyOf(bytes);
    let writing = true;
    const reader = async () => {
      while (writing) {
        const blob = await store.get(key);
        if (blob) deepEqual(Buffer.concat(await Array.fromAsync(blob.content)), bytes);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const reading = reader();
    await Promise.all(Array.from({ length: 5 }, (_, index) => store.put(key, pieces(bytes, 50_000 + index)))).finally(() => {
      writing = false;
    });
    await reading;
    deepEqual(await contentOf(store, key), bytes);
    deepEqual(await keysIn(store), [key]);
  });

  check("gives any part", async ({ store }) => {
    const size = (2 << 20) + 12_345;
    const bytes = randomBytes(size);
    const key = keyOf(bytes);
    await store.put(key, pieces(bytes, 100_000));
    const ranges = [
      [0, 1],
      [0, 1 << 20],
      [(1 << 20) - 1, (1 << 20) + 1],
      [1 << 20, 2 << 20],
      [5, 5],
      [size - 1, size],
      [size, size],
      [7, size + 10],
      [size + 5, size + 9],
    ];
    for (const [start, end] of ranges as [number, number][]) {
      deepEqual(await contentOf(store, key, { start, end }), bytes.subarray(start, end), `${start}–${end}`);
    }
    deepEqual(await contentOf(store, key, { start: 1000 }), bytes.subarray(1000));
    deepEqual(await contentOf(store, key, { end: 1000 }), bytes.subarray(0, 1000));
    equal((await store.get(key, { start: 1, end: 2 }))?.sizeBytes, size);
    await rejects(store.get(key, { start: -1 }), { code: "E_INPUT" });
    await rejects(store.get(key, { start: 2, end: 1 }), { code: "E_INPUT" });
  });

  check("lists what there is, by key, and deletes once or twice alike", async ({ store }) => {
    const blobs = Array.from({ length: 12 }, (_, index) => randomBytes(10 + index));
    for (const bytes of blobs) await store.put(keyOf(bytes), pieces(bytes, 4));
    const expected = blobs
      .map((bytes) => ({ key: keyOf(bytes), sizeBytes: bytes.byteLength }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    deepEqual(await Array.fromAsync(store.list()), expected);
    deepEqual(await Array.fromAsync(store.list({ after: expected[4]!.key })), expected.slice(5));
    const [first, ...rest] = expected.map(({ key }) => key) as [BlobKey, ...BlobKey[]];
    await store.delete(first);
    await store.delete(first);
    deepEqual(await keysIn(store), rest);
    equal(await store.get(first), undefined);
    await rejects(Array.fromAsync(store.list({ signal: AbortSignal.abort(new Error("enough")) })), /enough/);
  });

  check("I3: one flipped bit is an error before the end, and putting again mends it", async ({ store, damage }) => {
    const bytes = randomBytes(700_000);
    const key = keyOf(bytes);
    await store.put(key, pieces(bytes, 4096));
    await damage(key);
    let given = 0;
    const read = async () => {
      for await (const chunk of (await store.get(key))!.content) given += chunk.byteLength;
    };
    await rejects(read(), { code: "E_BLOB_CORRUPT", details: { blob: key } });
    ok(given < bytes.byteLength, "all bytes were given before the error");
    await store.put(key, pieces(bytes, 4096));
    deepEqual(await contentOf(store, key), bytes);
  });

  check("a blob deleted before it is read is an error, not an empty blob", async ({ store }) => {
    const bytes = randomBytes(2000);
    await store.put(keyOf(bytes), pieces(bytes, 500));
    const blob = await store.get(keyOf(bytes));
    await store.delete(keyOf(bytes));
    const outcome = await Array.fromAsync(blob!.content).then(
      (chunks) => Buffer.concat(chunks),
      (error: { code: string }) => error.code,
    );
    ok(outcome === "E_BLOB_MISSING" || Buffer.compare(outcome as Buffer, bytes) === 0);
  });

  check("can stop reading in the middle", async ({ store }) => {
    const bytes = randomBytes(3 << 20);
    await store.put(keyOf(bytes), pieces(bytes, 1 << 16));
    for await (const chunk of (await store.get(keyOf(bytes)))!.content) {
      ok(chunk.byteLength > 0);
      break;
    }
    deepEqual(await contentOf(store, keyOf(bytes)), bytes);
  });

  check(
    "a store that is gone says so with a code and a hint, to every question",
    async ({ store, takeAway }) => {
      if (takeAway === undefined) return;
      const bytes = randomBytes(1000);
      await store.put(keyOf(bytes), pieces(bytes, 100));
      await takeAway();
      const known = ["E_STORE_UNAVAILABLE", "E_PERMISSION", "E_CONFIG", "E_READ_ONLY"];
      const other = randomBytes(1000);
      for (const question of [
        () => store.head(keyOf(bytes)),
        () => store.get(keyOf(bytes)),
        () => store.put(keyOf(other), pieces(other, 100)),
        () => Array.fromAsync(store.list()),
      ]) {
        await rejects(
          question,
          (error: { code: string; hint?: string }) => known.includes(error.code) && error.hint !== undefined,
        );
      }
    },
    30_000,
  );

  check("a blob that is given out by link is the blob", async ({ store }) => {
    const bytes = randomBytes(1000);
    await store.put(keyOf(bytes), pieces(bytes, 100));
    const link = await store.link(keyOf(bytes));
    if (link !== undefined) deepEqual(Buffer.from(await (await fetch(link)).arrayBuffer()), bytes);
  });

  check("closing one opener leaves the others, and closing twice does nothing", async ({ store, reopen }) => {
    const bytes = randomBytes(1000);
    const other = await reopen();
    await other.put(keyOf(bytes), pieces(bytes, 100));
    await other[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    deepEqual(await contentOf(store, keyOf(bytes)), bytes);
  });

  check(
    "a large blob passes in bounded memory",
    async ({ store, holdsContents }) => {
      const count = holdsContents ? 4 : largeMib;
      const piece = randomBytes(1 << 20);
      const hash = createHash("sha512");
      for (let index = 0; index < count; index++) hash.update(piece);
      const key = hash.digest("hex") as BlobKey;
      let passed = 0;
      let peak = 0;
      const sample = () => {
        if (passed++ % 8 !== 0) return;
        collectGarbage();
        peak = Math.max(peak, process.memoryUsage().rss);
      };
      sample();
      const before = peak;
      async function* source() {
        for (let index = 0; index < count; index++) {
          sample();
          yield Buffer.from(piece);
        }
      }
      deepEqual(await store.put(key, source(), { sizeBytes: count << 20 }), { sizeBytes: count << 20 });
      let read = 0;
      for await (const chunk of (await store.get(key))!.content) {
        read += chunk.byteLength;
        ok(chunk.byteLength <= 1 << 20, "a chunk is larger than 1 MiB");
        sample();
      }
      equal(read, count << 20);
      if (!holdsContents) ok(peak - before < 40 << 20, `it took ${(peak - before) >> 20} MiB`);
    },
    60_000,
  );
}

const keyOf = (bytes: Uint8Array): BlobKey => createHash("sha512").update(bytes).digest("hex") as BlobKey;

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.byteLength; offset += size) yield bytes.subarray(offset, offset + size);
}

async function contentOf(store: BlobStore, key: BlobKey, options?: Parameters<BlobStore["get"]>[1]): Promise<Buffer> {
  const blob = await store.get(key, options);
  ok(blob, "the blob is absent");
  return Buffer.concat(await Array.fromAsync(blob.content));
}

async function keysIn(store: BlobStore): Promise<BlobKey[]> {
  return (await Array.fromAsync(store.list())).map(({ key }) => key);
}
