import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import { openTempDir, type TempDir } from "../../../test/harness/temp-dir.ts";
import { openTestServer, type TestServer } from "../testing/test-server.ts";

const page = "<!doctype html><title>Larder</title>";
const script = "console.log(1);".repeat(100);
const html = { accept: "text/html,*/*" };

let directory: TempDir;
let server: TestServer;
beforeAll(async () => {
  directory = await openTempDir("console");
  await mkdir(directory.join("built/assets"), { recursive: true });
  await Bun.write(directory.join("built/index.html"), page);
  await Bun.write(directory.join("built/assets/a-1.js"), script);
  await Bun.write(directory.join("built/assets/a-1.js.br"), brotliCompressSync(script));
  await Bun.write(directory.join("secret.txt"), "nobody's business");
  server = await openTestServer({ console: async () => directory.join("built") });
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

describe("the console", () => {
  test.each(["/", "/default/packages", "/staging/hosts?q=a"])("is one page at %s, and says what it may do", async (path) => {
    const response = await server.fetch(path, { headers: html });
    expect([response.status, await response.text()]).toEqual([200, page]);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(response.headers.get("cache-control")).toBe("no-cache");
  });

  test("may write styles on the page with the editor, and run nothing inline even there", async () => {
    const policy = (await server.fetch("/default/scripts", { headers: html })).headers.get("content-security-policy") ?? "";
    expect(policy).toContain("style-src 'self' 'unsafe-inline'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain("unsafe-eval");
  });

  test("has files that never change, compressed for whoever takes that", async () => {
    const headers = { "accept-encoding": "gzip, br" };
    const response = await fetch(`${server.url}/assets/a-1.js`, { headers, decompress: false } as RequestInit);
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect([response.headers.get("content-encoding"), response.headers.get("vary")]).toEqual(["br", "accept-encoding"]);
    expect(brotliDecompressSync(new Uint8Array(await response.arrayBuffer())).toString()).toBe(script);
    const plain = await fetch(`${server.url}/assets/a-1.js`, { headers: { "accept-encoding": "identity" } });
    expect([plain.headers.get("content-encoding"), await plain.text()]).toEqual([null, script]);
  });

  test.each([
    "/assets/a-2.js",
    "/assets/../../secret.txt",
    "/assets/%2e%2e/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/assets/a-1.js.br",
  ])("serves nothing else: %s", async (path) => {
    const response = await server.fetch(path);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain("business");
  });

  test("leaves the API alone", async () => {
    const missing = await server.fetch("/api/nothing", { headers: html });
    expect([missing.status, missing.headers.get("content-type")]).toEqual([404, expect.stringContaining("application/json")]);
    expect((await server.fetch("/healthz", { headers: html })).headers.get("content-type")).toContain("application/json");
    expect((await server.fetch("/default/packages", { method: "POST" })).status).toBe(404);
  });
});

test("while it is being made, a page says so and comes back by itself; when that fails, it says why, as text", async () => {
  let fail: (error: Error) => void = () => {};
  const source = () =>
    new Promise<string>((_, reject) => {
      fail = reject;
    });
  await using own = await openTestServer({ console: source });
  const waiting = await own.fetch("/", { headers: html });
  expect([waiting.status, waiting.headers.get("refresh")]).toEqual([503, "1"]);
  fail(new Error("no <b>vite</b> here"));
  await Bun.sleep(10);
  const source2 = own.fetch("/", { headers: html });
  setTimeout(() => fail(new Error("no <b>vite</b> here")), 50);
  const failed = await source2;
  const text = await failed.text();
  expect(failed.status).toBe(503);
  expect(text).toContain("no &lt;b&gt;vite&lt;/b&gt; here");
});
