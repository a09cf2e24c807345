import { expect, test } from "bun:test";
import { openFixtureRegistry } from "./fixture-registry.ts";
import { openRegistryMirror, whyNoRegistry } from "./registry-mirror.ts";
import { openTempDir } from "./temp-dir.ts";

test("what was fetched once is served from disk, also when upstream is gone, and tarballs come from the mirror", async () => {
  await using dir = await openTempDir();
  const upstream = await openFixtureRegistry([{ name: "@corp/a", version: "1.0.0" }]);
  const options = { cacheDir: dir.join("cache"), upstream: upstream.url };
  const { tarball } = upstream.get("@corp/a", "1.0.0");
  {
    await using mirror = await openRegistryMirror(options);
    const packument = await (await fetch(`${mirror.url}@corp%2fa`)).json();
    const address = packument.versions["1.0.0"].dist.tarball;
    expect(address).toStartWith(mirror.url);
    expect(Buffer.from(await (await fetch(address)).arrayBuffer())).toEqual(Buffer.from(tarball));
    expect((await fetch(`${mirror.url}unknown`)).status).toBe(404);
    expect(mirror.fetched).toBe(3);
  }
  await upstream[Symbol.asyncDispose]();
  await using later = await openRegistryMirror(options);
  expect((await fetch(`${later.url}@corp%2fa`)).status).toBe(200);
  expect((await fetch(`${later.url}@corp/a/-/a-1.0.0.tgz`)).status).toBe(200);
  expect(later.fetched).toBe(0);
});

test("an old packument is fetched again, and still serves when that fails", async () => {
  await using dir = await openTempDir();
  await using upstream = await openFixtureRegistry([{ name: "a", version: "1.0.0" }]);
  await using mirror = await openRegistryMirror({ cacheDir: dir.path, upstream: upstream.url, packumentAgeMs: -1 });
  const versions = async () => Object.keys((await (await fetch(`${mirror.url}a`)).json()).versions);
  expect(await versions()).toEqual(["1.0.0"]);
  upstream.add({ name: "a", version: "1.0.1" });
  expect(await versions()).toEqual(["1.0.0", "1.0.1"]);
  upstream.fault(() => ({ kind: "reset" }));
  expect(await versions()).toEqual(["1.0.0", "1.0.1"]);
});

test("without upstream and without cache it says what cannot be reached", async () => {
  await using dir = await openTempDir();
  await using mirror = await openRegistryMirror({ cacheDir: dir.path, upstream: "http://127.0.0.1:1/" });
  expect(await whyNoRegistry(mirror)).toContain("http://127.0.0.1:1/ cannot be reached from here");
});
