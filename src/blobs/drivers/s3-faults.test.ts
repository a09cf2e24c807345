import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readdir, writeFile } from "node:fs/promises";
import { type S3Server, startS3 } from "../../../test/harness/s3.ts";
import type { S3Options } from "../s3/s3-options.ts";
import { codeOf, contentOf, forgetFaults, keyOf, large, once, openStore, small } from "../testing/s3-store.ts";
import { openS3BlobStore } from "./s3.ts";

let server: S3Server;
beforeAll(async () => {
  server = await startS3();
}, 30_000);
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => forgetFaults(server));

const open = (options?: Partial<S3Options>) => openStore(server, options);

describe("when the server is in trouble", () => {
  test.each([
    ["throttles", { kind: "status", status: 503, code: "SlowDown" } as const],
    ["fails inside", { kind: "status", status: 500, code: "InternalError" } as const],
    ["does the thing and its answer is lost", { kind: "loseAnswer" } as const],
  ])(
    "a server that %s twice is tried again",
    async (_, what) => {
      await using opened = await open();
      const { store } = opened;
      for (const bytes of [small, large]) {
        const key = keyOf(bytes);
        await server.fault(
          { method: "PUT", times: 2, what },
          { method: "GET", times: 1, what },
          { method: "POST", times: 1, what },
        );
        expect(await store.put(key, once(bytes))).toEqual({ sizeBytes: bytes.byteLength });
        expect(Buffer.compare(await contentOf(store, key), bytes)).toBe(0);
        await server.fault();
      }
      // Of an upload whose beginning was answered with silence, nobody knows the id: the sweep takes it.
      expect((await readdir(server.uploads).catch(() => [])).length).toBe(what.kind === "loseAnswer" ? 1 : 0);
    },
    30_000,
  );

  test("a put whose every answer is lost has happened all the same", async () => {
    await using opened = await open();
    const { store } = opened;
    for (const bytes of [small, large]) {
      await server.fault({
        method: bytes === small ? "PUT" : "POST",
        path: bytes === small ? "/larder/" : "uploadId=",
        times: 5,
        what: { kind: "loseAnswer" },
      });
      expect(await store.put(keyOf(bytes), once(bytes))).toEqual({ sizeBytes: bytes.byteLength });
      await server.fault();
      expect(Buffer.compare(await contentOf(store, keyOf(bytes)), bytes)).toBe(0);
    }
  }, 60_000);

  test("200 with an error in the body is no success", async () => {
    await using opened = await open();
    const { store } = opened;
    await server.fault(
      { method: "PUT", path: "partNumber", times: 0, what: { kind: "errorBody" } },
      { method: "POST", path: "uploadId=", times: 1, what: { kind: "errorBody" } },
    );
    await store.put(keyOf(large), once(large));
    expect(Buffer.compare(await contentOf(store, keyOf(large)), large)).toBe(0);
    await server.fault({ method: "PUT", times: 1, what: { kind: "errorBody" } });
    await store.put(keyOf(small), once(small));
    expect(Buffer.compare(await contentOf(store, keyOf(small)), small)).toBe(0);
  }, 30_000);

  test("a server that says it did and did not is found out", async () => {
    await using opened = await open();
    await server.fault({ method: "PUT", times: 99, what: { kind: "lie" } });
    const error = await codeOf(opened.store.put(keyOf(small), once(small)));
    expect(error).toMatchObject({ code: "E_STORE_UNAVAILABLE", retryable: true });
    expect(error.message).toContain("bucket larder");
  }, 30_000);

  test("an answer that is cut goes on where it was cut", async () => {
    await using opened = await open();
    const { store } = opened;
    await store.put(keyOf(large), once(large));
    await server.requests();
    await server.fault({ method: "GET", times: 3, what: { kind: "cutBody", afterBytes: 3 << 20 } });
    expect(Buffer.compare(await contentOf(store, keyOf(large)), large)).toBe(0);
    const ranges = (await server.requests()).filter(({ method }) => method === "GET").map(({ headers }) => headers.range);
    expect(ranges.length).toBe(4);
    expect(new Set(ranges).size).toBe(4);
  }, 30_000);

  test("a copy that was there is kept when it is right and replaced when it is not", async () => {
    await using opened = await open();
    const { store, nameOf } = opened;
    const key = keyOf(small);
    await store.put(key, once(small));
    await server.requests();
    await store.put(key, once(small));
    expect((await server.requests()).filter(({ method }) => method === "PUT")).toHaveLength(1);
    await writeFile(server.pathOf(nameOf(key)), small.subarray(0, 1000));
    await store.put(key, once(small));
    expect(Buffer.compare(await contentOf(store, key), small)).toBe(0);
  });

  test("a server that does not know If-None-Match is asked without from then on", async () => {
    await using opened = await open();
    await server.fault({ method: "PUT", times: 1, what: { kind: "status", status: 501, code: "NotImplemented" } });
    await opened.store.put(keyOf(small), once(small));
    await opened.store.put(keyOf(Buffer.from("x")), once(Buffer.from("x")));
    const puts = (await server.requests()).filter(({ method }) => method === "PUT");
    expect(puts.map(({ headers }) => headers["if-none-match"])).toEqual(["*", undefined, undefined]);
  }, 20_000);
});

describe("refusals say what to do", () => {
  test.each<[string, Partial<S3Options>, object]>([
    ["a wrong secret", { credentials: { accessKeyId: "S3RVER", secretAccessKey: "canary-secret" } }, { code: "E_PERMISSION" }],
    ["an unknown key", { credentials: { accessKeyId: "NOBODY", secretAccessKey: "canary-secret" } }, { code: "E_PERMISSION" }],
    ["no such bucket", { bucket: "nowhere" }, { code: "E_CONFIG" }],
    ["nobody there", { endpoint: "http://127.0.0.1:9" }, { code: "E_STORE_UNAVAILABLE", retryable: true }],
  ])(
    "%s",
    async (_, options, expected) => {
      const error = await codeOf(open(options));
      expect(error).toMatchObject(expected);
      expect(error.message).toContain(options.bucket ?? "larder");
      expect(error.message).toContain(options.endpoint ?? server.endpoint);
      expect(error.hint).toBeString();
      expect(Bun.inspect(error) + JSON.stringify(error.toBody())).not.toContain("canary-secret");
    },
    30_000,
  );

  test.each([
    [{ status: 301, code: "PermanentRedirect", headers: { "x-amz-bucket-region": "eu-central-1" } }, "E_CONFIG", "eu-central-1"],
    [{ status: 400, code: "AuthorizationHeaderMalformed", inner: "<Region>eu-west-3</Region>" }, "E_CONFIG", "eu-west-3"],
    [{ status: 403, code: "AccessDenied" }, "E_PERMISSION", "docs/storage.md"],
    [{ status: 403, code: "ExpiredToken" }, "E_PERMISSION", "renew"],
    [{ status: 507, code: "XMinioStorageFull" }, "E_NO_SPACE", "room"],
    [{ status: 400, code: "KMS.DisabledException" }, "E_PERMISSION", "--s3-sse"],
  ] as const)("%o", async (answer, code, hint) => {
    await server.fault({ times: 99, what: { kind: "status", ...answer } });
    const error = await codeOf(open());
    expect(error.code).toBe(code);
    expect(error.hint).toContain(hint);
  });

  test("a HEAD that is refused without a word is asked for the reason", async () => {
    await using opened = await open();
    await server.fault(
      { method: "HEAD", times: 9, what: { kind: "status", status: 403, code: "" } },
      { method: "GET", times: 9, what: { kind: "status", status: 403, code: "InvalidAccessKeyId" } },
    );
    const error = await codeOf(opened.store.head(keyOf(small)));
    expect([error.code, error.message]).toEqual(["E_PERMISSION", expect.stringContaining("InvalidAccessKeyId")]);
  });

  test("a clock that is wrong is corrected for, or told", async () => {
    await server.fault({ times: 99, what: { kind: "status", status: 403, code: "RequestTimeTooSkewed" } });
    const error = await codeOf(open());
    expect(error).toMatchObject({ code: "E_STORE_UNAVAILABLE" });
    expect(error.message).toContain("clock");
  }, 20_000);

  test("a server that went away is unavailable, and was only then", async () => {
    await using gone = await startS3();
    const store = await openS3BlobStore(gone);
    await gone.stop();
    expect(await codeOf(store.put(keyOf(small), once(small)))).toMatchObject({ code: "E_STORE_UNAVAILABLE", retryable: true });
    expect(await codeOf(store.head(keyOf(small)))).toMatchObject({ code: "E_STORE_UNAVAILABLE", retryable: true });
    await store[Symbol.asyncDispose]();
  }, 30_000);
});
