import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ErrorBody } from "../../src/contract/index.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { leftoversIn } from "../harness/leaks.ts";
import type { LarderResult } from "../harness/processes.ts";
import { type LarderStack, openLarderStack } from "./larder-stack.ts";

/** Disposed of also when the start fails half-way. */
const cleanup = new AsyncDisposableStack();
let registry: FixtureRegistry;
let larder: LarderStack;

beforeAll(async () => {
  registry = cleanup.use(
    await openFixtureRegistry([
      { name: "base", version: "1.0.0", files: { "index.js": "module.exports = 'the last good one';" } },
    ]),
  );
  restock();
  larder = cleanup.use(await openLarderStack({ registry: registry.url }));
  await larder.add("base@1.0.0");
  expect(await larder.install()).toMatchObject({ generation: 1 });
}, 120_000);

afterAll(() => cleanup.disposeAsync(), 60_000);

/** Everything that can be added, as new. */
function restock(): void {
  registry.add(
    { name: "app", version: "1.0.0", dependencies: { lib: "^1.0.0" } },
    { name: "app", version: "1.4.0", dependencies: { lib: "^1.0.0" } },
    { name: "lib", version: "1.0.0" },
  );
}

/** What a command with `--json` says when it fails. */
function refused(answer: LarderResult, code: string): ErrorBody {
  const body = answer.json<{ error: ErrorBody }>();
  expect(body.error).toMatchObject({ code });
  return body.error;
}

async function expectLastGoodServes(generation: number): Promise<void> {
  const run = await larder.run(`import base from "base"; export default base;`);
  expect(run).toMatchObject({ result: "the last good one", generation });
  expect(await larder.status()).toMatchObject({ generation, hosts: [{ generation, phase: "ready" }] });
  expect((await leftoversIn(larder.dataDir)).filter((path) => path.startsWith("control/"))).toEqual([]);
}

/** The allowlist as it was, so that the next test starts from the last good generation. */
async function takeBack(name: string): Promise<void> {
  expect((await larder.larder(["remove", name, "--yes"])).code).toBe(0);
}

test("a version that does not exist is refused when it is added, with the nearest ones", async () => {
  const answer = await larder.larder(["add", "app@1.3.0"]);
  expect(answer.code).toBe(6);
  const error = refused(answer, "E_VERSION_NOT_FOUND");
  expect(error.message).toContain("app@1.3.0");
  expect(error.hint).toContain("1.4.0");
  expect((await larder.status()).packages).toBe(1);
});

test("an unknown name is refused when it is added, and none of those beside it is added", async () => {
  const answer = await larder.larder(["add", "app@1.0.0", "nonesuch"]);
  expect(answer.code).toBe(6);
  expect(refused(answer, "E_PACKAGE_NOT_FOUND").message).toContain("nonesuch");
  expect((await larder.status()).packages).toBe(1);
});

/** What happened to the registry between the add and the install, what the failure says, and the way back. */
const vanished: [what: string, vanish: () => void, code: string, named: string][] = [
  ["a version", () => registry.remove("app", "1.4.0"), "E_VERSION_NOT_FOUND", "app"],
  ["a package", () => registry.remove("app"), "E_PACKAGE_NOT_FOUND", "app"],
  ["a dependency", () => registry.remove("lib"), "E_PACKAGE_NOT_FOUND", "lib"],
];

test.each(vanished)(
  "%s that vanished after it was added fails the install by name; the last good generation serves",
  async (...of) => {
    const [, vanish, code, named] = of;
    await larder.add("app@1.4.0");
    const { generation } = await larder.status();
    vanish();
    const answer = await larder.larder(["install"]);
    expect(answer.code).toBe(6);
    expect(refused(answer, code).message).toContain(named);
    await expectLastGoodServes(generation);

    restock();
    expect(await larder.install()).toMatchObject({ generation: generation + 1, nodes: 3 });
    await expectLastGoodServes(generation + 1);
    await takeBack("app");
    expect(await larder.install()).toMatchObject({ generation: generation + 2, nodes: 1 });
  },
);

test("with the registry down, add and install fail and say so; runs go on; and once it is back everything works", async () => {
  const { generation } = await larder.status();
  await larder.add("app@1.0.0");
  registry.fault(() => ({ kind: "reset" }));
  const [added, installed] = await Promise.all([larder.larder(["add", "lib"]), larder.larder(["install"])]);
  expect(refused(added, "E_REGISTRY_UNREACHABLE").message).toContain("lib");
  expect(refused(installed, "E_REGISTRY_UNREACHABLE").message).toContain("app");
  expect([added.code, installed.code]).toEqual([6, 6]);
  await expectLastGoodServes(generation);

  registry.heal();
  expect(await larder.install()).toMatchObject({ generation: generation + 1, nodes: 3 });
  await expectLastGoodServes(generation + 1);
});

test("what needs no registry works with the registry gone for good: rollback, reconcile, run, verify", async () => {
  const { generation } = await larder.status();
  await registry[Symbol.asyncDispose]();
  const rolledBack = await larder.larder(["rollback", "1", "--yes"]);
  expect(rolledBack.code).toBe(0);
  await larder.ready(generation + 1);
  await expectLastGoodServes(generation + 1);
  expect((await larder.larder(["verify"])).code).toBe(0);
  expect(refused(await larder.larder(["install"]), "E_REGISTRY_UNREACHABLE").hint).toContain("registry");
});
