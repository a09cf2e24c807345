import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LarderError } from "../contract/index.ts";
import { createRegistryClient, defaultRegistry, parseBunLock } from "../npm/index.ts";
import type { Pin } from "./explain-failure.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { runResolver } from "./run-resolver.ts";
import { openTestRegistry, type TestRegistry } from "./testing/test-registry.ts";

let directory: string;
let registry: TestRegistry;
let gateway: Gateway;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "larder-resolver-"));
  registry = await openTestRegistry({});
  gateway = createGateway({ client: createRegistryClient({ registry: registry.url, attempts: 2, backoffBaseMs: 1 }) });
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const pinsOf = (...pins: string[]) =>
  pins.map((pin) => ({ name: pin.slice(0, pin.lastIndexOf("@")), version: pin.slice(pin.lastIndexOf("@") + 1) })) as Pin[];
async function resolve(pins: string[], options: Partial<Parameters<typeof runResolver>[0]> = {}): Promise<string> {
  const scratch = join(directory, "scratch");
  await mkdir(scratch, { recursive: true });
  const signal = new AbortController().signal;
  return runResolver({
    gateway,
    scratch,
    packages: pinsOf(...pins),
    timeoutMs: 20_000,
    signal,
    bunPath: process.execPath,
    ...options,
  });
}
async function failure(promise: Promise<unknown>): Promise<LarderError> {
  const thrown = await promise.then(
    (value) => new Error(`resolved with ${value}`),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(LarderError);
  expect(JSON.stringify((thrown as LarderError).toBody())).not.toContain(new URL(await gateway.listen()).host);
  return thrown as LarderError;
}

describe("a resolve", () => {
  test("gives the lock of exactly the pins, with integrities", async () => {
    registry.packages = {
      a: { "1.0.0": { dependencies: { b: "^1.0.0" } }, "2.0.0": {} },
      b: { "1.0.0": { dependencies: { a: "1" } }, "1.5.0": { dependencies: { a: "1" } } },
      "@s/n": { "1.0.0": { dependencies: { alias: "npm:c@1.0.0" } } },
      c: { "1.0.0": {} },
    };
    const lock = parseBunLock(await resolve(["a@1.0.0", "@s/n@1.0.0"]));
    const found = Object.fromEntries(lock.packages.map(({ path, name, version }) => [path, `${name}@${version}`]));
    expect(found).toEqual({ "@s/n": "@s/n@1.0.0", a: "a@1.0.0", alias: "c@1.0.0", b: "b@1.5.0" });
    expect(lock.packages.every(({ integrity }) => integrity.startsWith("sha512-"))).toBe(true);
  });

  test("starts from the lock that it is given", async () => {
    registry.packages = { a: { "1.0.0": { dependencies: { b: "^1.0.0" } } }, b: { "1.0.0": {} }, c: { "1.0.0": {} } };
    const lockfile = await resolve(["a@1.0.0"]);
    registry.packages.b = { "1.0.0": {}, "1.5.0": {} };
    await rm(join(directory, "scratch"), { recursive: true });
    const next = parseBunLock(await resolve(["a@1.0.0", "c@1.0.0"], { lockfile }));
    expect(next.packages.map(({ path, version }) => `${path}@${version}`).sort()).toEqual(["a@1.0.0", "b@1.0.0", "c@1.0.0"]);
  });

  test("of nothing is an empty lock, and starts no process", async () => {
    expect(parseBunLock(await resolve([], { bunPath: "/nowhere/bun" })).packages).toEqual([]);
  });

  test("writes only in its scratch directory, and is not claimed by a workspace above it", async () => {
    registry.packages = { a: { "1.0.0": {} } };
    await writeFile(join(directory, "package.json"), JSON.stringify({ workspaces: ["**"] }));
    await writeFile(join(directory, ".npmrc"), "registry=http://127.0.0.1:1/\n");
    await writeFile(join(directory, "bunfig.toml"), `[install]\nregistry = "http://127.0.0.1:1/"\n`);
    const lock = parseBunLock(await resolve(["a@1.0.0"]));
    expect(lock.packages).toHaveLength(1);
    expect((await readdir(directory)).sort()).toEqual([".npmrc", "bunfig.toml", "package.json", "scratch"]);
  });

  test("gives its process no environment, and no address in an argument", async () => {
    process.env.LARDER_TEST_CANARY = "canary-5f1c";
    const script = await fakeBun(`env > env.txt; echo "$@" > args.txt; exit 1`);
    await failure(resolve(["a@1.0.0"], { bunPath: script }));
    delete process.env.LARDER_TEST_CANARY;
    const environment = await readFile(join(directory, "scratch/project/env.txt"), "utf8");
    const names = environment.split("\n").map((line) => line.split("=")[0] as string);
    const ofTheShell = ["PWD", "SHLVL", "_", "OLDPWD", "PATH", ""];
    const expected = ["BUN_BE_BUN", "BUN_CONFIG_HTTP_RETRY_COUNT", "BUN_INSTALL_CACHE_DIR", "HOME", "NO_COLOR", "TMPDIR"];
    expect(names.filter((name) => !ofTheShell.includes(name)).sort()).toEqual(expected);
    expect(await readFile(join(directory, "scratch/project/args.txt"), "utf8")).not.toContain("127.0.0.1");
    expect((await stat(join(directory, "scratch/project/bunfig.toml"))).mode & 0o777).toBe(0o600);
  });
});

describe("a resolve that fails says why", () => {
  test("an unknown package", async () => {
    const error = await failure(resolve(["nowhere@1.0.0"]));
    expect(error).toMatchObject({ code: "E_PACKAGE_NOT_FOUND", message: expect.stringContaining("nowhere") });
  });

  test("a version that does not exist, with the closest that do", async () => {
    registry.packages = { a: { "1.0.0": {}, "1.1.0": {}, "1.2.0": {}, "2.0.0": {}, "3.0.0": {}, "4.0.0": {} } };
    const error = await failure(resolve(["a@1.3.0"]));
    expect(error).toMatchObject({ code: "E_VERSION_NOT_FOUND", message: expect.stringContaining("1.3.0 of a") });
    expect(error.hint).toContain("1.1.0, 1.2.0, 2.0.0, 3.0.0");
  });

  test("a dependency of a dependency without a version, or unknown", async () => {
    registry.packages = {
      a: { "1.0.0": { dependencies: { b: "^9.0.0" } } },
      b: { "1.0.0": {} },
      c: { "1.0.0": { dependencies: { gone: "1" } } },
    };
    const noVersion = await failure(resolve(["a@1.0.0"]));
    expect(noVersion.code).toBe("E_VERSION_NOT_FOUND");
    expect(noVersion.message).toContain("a@1.0.0 needs");
    const unknown = await failure(resolve(["c@1.0.0"]));
    expect(unknown).toMatchObject({ code: "E_PACKAGE_NOT_FOUND", message: expect.stringContaining("gone") });
    expect(unknown.hint).toContain("c@1.0.0");
  });

  test("a dependency outside registries: git, an address, a file", async () => {
    for (const specifier of ["git+ssh://git@example.org/x.git", "http://127.0.0.1:1/x.tgz", "file:../x", "owner/repo"]) {
      registry.packages = { [`p${specifier.length}`]: { "1.0.0": { dependencies: { x: specifier } } } };
      const error = await failure(resolve([`p${specifier.length}@1.0.0`]));
      expect(error.code).toBe("E_POLICY");
      expect(error.message).toContain(`p${specifier.length}@1.0.0 depends on x`);
    }
  });

  test("a registry in trouble, also when only an optional dependency meets it", async () => {
    registry.packages = { a: { "1.0.0": { optionalDependencies: { b: "1" } } }, b: { "1.0.0": {} } };
    registry.fail = (name) => (name === "b" ? 503 : undefined);
    const error = await failure(resolve(["a@1.0.0"]));
    expect(error).toMatchObject({ code: "E_REGISTRY_UNREACHABLE", message: expect.stringContaining("Could not get b from") });
  });

  test("but an optional dependency that is nowhere is left out", async () => {
    registry.packages = { a: { "1.0.0": { optionalDependencies: { b: "1" } } } };
    expect(parseBunLock(await resolve(["a@1.0.0"])).packages.map(({ path }) => path)).toEqual(["a"]);
  });

  test("a resolver that cannot start, or says something else", async () => {
    expect((await failure(resolve(["a@1.0.0"], { bunPath: "/nowhere/bun" }))).code).toBe("E_CONFIG");
    registry.packages = { a: { "1.0.0": {} } };
    const script = await fakeBun(`echo "error: odd, at ${await gateway.listen()}a with Bearer abcdefghijk" >&2; exit 1`);
    const error = await failure(resolve(["a@1.0.0"], { bunPath: script }));
    expect(error.code).toBe("E_RESOLVE");
    expect(error.message).toContain("error: odd, at a with Bearer ***");
  });
});

describe("the resolver's process group", () => {
  const stubborn = `trap "" TERM INT HUP; (trap "" TERM; echo $BASHPID; sleep 60) > pids & echo $$ >> pids; sleep 60 & wait`;

  test("is dead at the deadline", async () => {
    const error = await failure(resolve(["a@1.0.0"], { bunPath: await fakeBun(stubborn), timeoutMs: 300 }));
    expect(error.code).toBe("E_TIMEOUT");
    await expectDead();
  });

  test("is dead after a cancel, which gives its reason", async () => {
    const abort = new AbortController();
    const bunPath = await fakeBun(stubborn);
    setTimeout(() => abort.abort(new LarderError("E_CANCELLED", "Enough.")), 300);
    expect((await failure(resolve(["a@1.0.0"], { bunPath, signal: abort.signal }))).message).toBe("Enough.");
    await expectDead();
  });

  test("is dead after the resolver left something running", async () => {
    await failure(resolve(["a@1.0.0"], { bunPath: await fakeBun(`sleep 60 & echo $! > pids; exit 1`) }));
    await expectDead();
  });

  test("does not fill the memory with what it prints", async () => {
    registry.packages = { a: { "1.0.0": {} } };
    const error = await failure(resolve(["a@1.0.0"], { bunPath: await fakeBun(`yes | head -c 20000000 >&2; exit 1`) }));
    expect(error.message.length).toBeLessThan(3000);
  });

  async function expectDead(): Promise<void> {
    const pids = (await readFile(join(directory, "scratch/project/pids"), "utf8")).trim().split("\n");
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) {
      const state = existsSync(`/proc/${pid}/stat`) ? await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") X") : ") X";
      expect(["X", "Z"]).toContain(state.slice(state.lastIndexOf(")") + 2)[0] as string);
    }
  }
});

async function fakeBun(script: string): Promise<string> {
  const path = join(directory, "fake-bun");
  await writeFile(path, `#!/bin/bash\nPATH=/usr/bin:/bin\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const reachable = await fetch(defaultRegistry, { signal: AbortSignal.timeout(5000) }).then(
  () => true,
  () => false,
);
if (!reachable) console.info(`skipped: ${defaultRegistry} cannot be reached from here`);
test.skipIf(!reachable)(
  "real packages resolve as they do without a gateway",
  async () => {
    await using real = createGateway({ client: createRegistryClient() });
    const lock = parseBunLock(await resolve(["string-width@5.1.2", "wrap-ansi@7.0.0", "esbuild@0.25.0"], { gateway: real }));
    const find = (path: string) => lock.packages.find((entry) => entry.path === path)?.version as string;
    expect(find("string-width")).toBe("5.1.2");
    expect(find("wrap-ansi/string-width")).toStartWith("4.");
    expect(find("@esbuild/linux-arm64")).toBe("0.25.0");
  },
  30_000,
);
