import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import type { InstallResult } from "../../src/contract/index.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { until } from "../harness/until.ts";
import { type LarderStack, openLarderStack } from "./larder-stack.ts";

const withoutImports = `const words: string[] = ["no", "imports"]; export default words.join(" ");`;
const importing = `import dayjs from "dayjs"; export default dayjs;`;

/** Disposed of also when the start fails half-way. */
const cleanup = new AsyncDisposableStack();
let registry: FixtureRegistry;
let larder: LarderStack;

beforeAll(async () => {
  registry = cleanup.use(
    await openFixtureRegistry([{ name: "dayjs", version: "1.0.0", files: { "index.js": "", data: randomBytes(8192) } }]),
  );
  larder = cleanup.use(await openLarderStack({ registry: registry.url }));
}, 120_000);

afterAll(() => cleanup.disposeAsync(), 60_000);

async function expectRunsWithoutImports(generation: number): Promise<void> {
  const run = await larder.run(withoutImports);
  expect(run).toMatchObject({ result: "no imports", exitCode: 0, generation });
  expect(run.error).toBeNull();
}

/** By its code, naming the package and saying the way out. */
async function expectImportRefused(): Promise<void> {
  const { error, result } = await larder.run(importing);
  expect(result).toBeNull();
  expect(error).toMatchObject({ code: "E_NOT_ALLOWLISTED", message: expect.stringContaining("dayjs") });
  expect(error?.hint).toContain("larder add dayjs");
}

test("before anything was installed a script without imports runs, and one with an import is told what to do", async () => {
  expect(await larder.status()).toMatchObject({ generation: 0, packages: 0, installDue: false });
  await expectRunsWithoutImports(0);
  await expectImportRefused();
});

let empty: InstallResult;

test("an empty allowlist installs as a generation that hosts serve, without a request to the registry", async () => {
  empty = await larder.install();
  expect(empty).toMatchObject({ generation: 1, changed: true, nodes: 0, blobs: 0, bytes: 0, fetched: 0 });
  await larder.ready(1);
  expect(registry.requests).toEqual([]);
  await expectRunsWithoutImports(1);
  await expectImportRefused();
});

test("installing an empty allowlist again changes nothing", async () => {
  expect(await larder.install()).toMatchObject({ generation: 1, changed: false, lockfileHash: empty.lockfileHash });
});

test("while the first package is being installed, scripts without imports run as before", async () => {
  await larder.add("dayjs@1.0.0");
  let release = false;
  registry.fault(({ kind }) => (kind === "tarball" && !release ? { kind: "drip", chunkBytes: 16, everyMs: 100 } : undefined));
  const { operation } = (await larder.larder(["install", "--no-wait"])).json<{ operation: { id: string } }>();
  const state = async () =>
    (await (await larder.api(`/operations/${operation.id}`)).json()) as { state: string; progress?: { phase: string } };
  await until("the install fetches", async () => (await state()).progress?.phase === "fetch");
  await expectRunsWithoutImports(1);
  await expectImportRefused();
  expect((await state()).state).toBe("running");
  // The slow answer is cut off; the install fails and changes nothing.
  release = true;
  await larder.larder(["operations", "cancel", operation.id]);
  await until("the install has ended", async () => (await state()).state === "cancelled");
  registry.heal();
  await expectRunsWithoutImports(1);
});

test("with its last package gone the allowlist is empty again: the same tree as before, in a new generation", async () => {
  expect(await larder.install()).toMatchObject({ generation: 2, nodes: 1 });
  await larder.larder(["remove", "dayjs", "--yes"]);
  expect(await larder.install()).toMatchObject({ generation: 3, nodes: 0, lockfileHash: empty.lockfileHash });
  await larder.ready(3);
  await expectRunsWithoutImports(3);
  await expectImportRefused();
});
