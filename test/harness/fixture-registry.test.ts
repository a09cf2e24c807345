import { afterEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { list } from "tar";
import { type FixtureRegistry, openFixtureRegistry } from "./fixture-registry.ts";

let registry: FixtureRegistry;
afterEach(() => registry[Symbol.asyncDispose]());

const full = async (path: string, headers: Record<string, string> = {}) => fetch(`${registry.url}${path}`, { headers });
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by hand
const json = async (path: string, headers?: Record<string, string>): Promise<any> => (await full(path, headers)).json();

test("a package is listed, described and downloadable, with both digests right", async () => {
  registry = await openFixtureRegistry([
    {
      name: "@corp/utils",
      version: "1.0.0",
      dependencies: { a: "^1.0.0" },
      bin: { tool: "./cli.js" },
      files: { "cli.js": "#!/bin/sh" },
    },
  ]);
  const packument = await json("@corp%2futils");
  const { dist, dependencies } = packument.versions["1.0.0"];
  const bytes = new Uint8Array(await (await fetch(dist.tarball)).arrayBuffer());
  expect(dependencies).toEqual({ a: "^1.0.0" });
  expect(dist.integrity).toBe(`sha512-${createHash("sha512").update(bytes).digest("base64")}`);
  expect(dist.shasum).toBe(createHash("sha1").update(bytes).digest("hex"));
  expect(dist.fileCount).toBe(2);
  expect(packument["dist-tags"]).toEqual({ latest: "1.0.0" });
});

test("tarballs are what the tar package reads, also with long paths, and the same bytes each time", async () => {
  const long = `${"deep/".repeat(40)}file.js`;
  const spec = { name: "long", version: "1.0.0", files: { [long]: "1", "index.js": "2" }, bundled: { inner: "2.0.0" } };
  registry = await openFixtureRegistry([spec]);
  const found: string[] = [];
  const parser = list({ onReadEntry: (entry) => void found.push(entry.path) });
  await new Promise((resolve) => parser.once("end", resolve).end(Buffer.from(registry.get("long", "1.0.0").tarball)));
  expect(found).toEqual([
    "package/package.json",
    `package/${long}`,
    "package/index.js",
    "package/node_modules/inner/package.json",
    "package/node_modules/inner/index.js",
  ]);
  await using again = await openFixtureRegistry([spec]);
  expect(again.get("long", "1.0.0").integrity).toBe(registry.get("long", "1.0.0").integrity);
});

test("abbreviated packuments have no times, full ones do, and an ETag that still fits gets 304", async () => {
  registry = await openFixtureRegistry([{ name: "a", version: "1.0.0", packageJson: { license: "MIT" } }]);
  const accept = { accept: "application/vnd.npm.install-v1+json" };
  expect((await json("a", accept)).time).toBeUndefined();
  expect((await json("a", accept)).versions["1.0.0"].license).toBeUndefined();
  expect((await json("a")).time["1.0.0"]).toBe("2020-01-01T00:00:00.000Z");
  const etag = (await full("a")).headers.get("etag") as string;
  expect((await full("a", { "if-none-match": etag })).status).toBe(304);
  registry.add({ name: "a", version: "1.1.0" });
  expect((await full("a", { "if-none-match": etag })).status).toBe(200);
});

test("latest is the highest release unless it is set", async () => {
  registry = await openFixtureRegistry(["1.10.0", "1.9.0", "2.0.0-rc.1"].map((version) => ({ name: "a", version })));
  expect((await json("a"))["dist-tags"].latest).toBe("1.10.0");
  registry.setDistTag("a", "latest", "1.9.0");
  expect((await json("a"))["dist-tags"].latest).toBe("1.9.0");
});

test("an old package has a SHA-1 alone", async () => {
  registry = await openFixtureRegistry([{ name: "a", version: "1.0.0", sha1Only: true }]);
  expect(Object.keys((await json("a")).versions["1.0.0"].dist)).not.toContain("integrity");
});

test("what is not there is 404, and nothing at all without the token", async () => {
  registry = await openFixtureRegistry([{ name: "a", version: "1.0.0" }], { token: "secret" });
  const authorization = "Bearer secret";
  expect((await full("a")).status).toBe(401);
  expect((await full("a", { authorization })).status).toBe(200);
  expect((await full("b", { authorization })).status).toBe(404);
  expect((await full("a/-/a-9.9.9.tgz", { authorization })).status).toBe(404);
  expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, ...Array(3).fill(authorization)]);
});

test("the k-th request from now fails, the others do not", async () => {
  registry = await openFixtureRegistry([{ name: "a", version: "1.0.0" }]);
  await full("a");
  registry.failRequest(2, { kind: "status", status: 503, headers: { "retry-after": "1" } });
  expect([(await full("a")).status, (await full("a")).status, (await full("a")).status]).toEqual([200, 503, 200]);
});

test("faults do what they say", async () => {
  registry = await openFixtureRegistry([{ name: "a", version: "1.0.0" }]);
  const { tarball } = registry.get("a", "1.0.0");
  const get = async () => new Uint8Array(await (await full("a/-/a-1.0.0.tgz")).arrayBuffer());
  registry.fault(({ kind }) => (kind === "tarball" ? { kind: "wrongBytes" } : undefined));
  expect((await full("a")).status).toBe(200);
  const wrong = await get();
  expect(wrong.length).toBe(tarball.length);
  expect(wrong).not.toEqual(new Uint8Array(tarball));
  registry.fault(() => ({ kind: "truncate" }));
  await expect(get()).rejects.toThrow();
  registry.fault(() => ({ kind: "reset" }));
  await expect(get()).rejects.toThrow();
  registry.fault(() => ({ kind: "hang" }));
  await expect(fetch(registry.url, { signal: AbortSignal.timeout(50) })).rejects.toThrow("timed out");
  registry.fault(() => ({ kind: "drip", chunkBytes: 100, everyMs: 1 }));
  expect(await get()).toEqual(new Uint8Array(tarball));
  registry.fault(() => ({ kind: "gzipBomb", unpackedBytes: 1_000_000 }));
  expect((await get()).length).toBe(1_000_000);
  registry.heal();
  expect(await get()).toEqual(new Uint8Array(tarball));
});

test("packages come and go", async () => {
  registry = await openFixtureRegistry([
    { name: "a", version: "1.0.0" },
    { name: "a", version: "1.0.1" },
  ]);
  registry.remove("a", "1.0.1");
  expect(Object.keys((await json("a")).versions)).toEqual(["1.0.0"]);
  registry.remove("a");
  expect((await full("a")).status).toBe(404);
});
