import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { createRunner, type Runner, type RunRequest } from "../../src/runner/index.ts";
import { buildGeneration } from "../harness/fixture-generation.ts";
import { descendantsOf, openDescriptors, processesAt, watchTempDir } from "../harness/leaks.ts";
import { createRandom } from "../harness/random.ts";
import { openTestStore, type TestStore } from "../harness/runner-stage.ts";
import { until } from "../harness/until.ts";

/** `LARDER_FULL=1`: the recorded run. */
const isFull = process.env.LARDER_FULL === "1";
const runs = isFull ? 10_000 : 100;
const atOnce = 4;
const flips = isFull ? 100 : 6;

const trees = ["a", "b", "c"].map((letter) =>
  buildGeneration(
    [
      {
        name: "letter",
        version: "1.0.0",
        files: {
          "index.js": `exports.now = ${JSON.stringify(letter)}; exports.late = () => import("./late.mjs");`,
          "late.mjs": `export default ${JSON.stringify(letter)};`,
        },
      },
    ],
    ["letter"],
  ),
);
/** By generation, which counts up from 1. */
const letterOf = (generation: number): string => "abc"[(generation - 1) % 3] as string;

const lateImport = `import { late, now } from "letter"; await new Promise((r) => setTimeout(r, 30)); export default now + (await late()).default`;
const hostile = `import { spawn } from "node:child_process"; import { writeFileSync } from "node:fs"; for (let i = 0; i < 20; i++) writeFileSync("f" + i, "x");`;
/** What users' scripts do, and what must come of it; the first most often. */
const kinds: [request: RunRequest, check: (result: Awaited<ReturnType<Runner["run"]>>) => void][] = [
  [{ script: lateImport }, ({ result, generation }) => expect(result).toBe(letterOf(generation).repeat(2))],
  [
    { script: `import { nothing } from "not-there"; export default nothing` },
    ({ error }) => expect(error?.code).toBe("E_NOT_ALLOWLISTED"),
  ],
  [{ script: "throw new Error('mine')" }, ({ error }) => expect(error?.message).toBe("Error: mine")],
  [{ script: "for (;;) {}", timeoutMs: 200 }, ({ error }) => expect(error?.code).toBe("E_RUN_TIMEOUT")],
  [{ script: "process.kill(process.pid, 'SIGKILL')" }, ({ error }) => expect(error?.code).toBe("E_RUN_KILLED")],
  [
    {
      script: `${hostile} spawn("setsid", ["sh", "-c", "sleep 300 & sleep 300"], { stdio: "ignore", detached: true }).unref(); export default 1`,
    },
    ({ result }) => expect(result).toBe(1),
  ],
];

test(
  `${runs} runs with ${flips} flips and sweeps between them leave nothing`,
  async () => {
    const random = createRandom(Number(process.env.LARDER_SEED ?? Date.now()));
    console.log(`LARDER_SEED=${random.seed}`);
    await using store = await openTestStore();
    const newTemporary = await watchTempDir();
    let generation = 0;
    const flip = async () => {
      await store.serve(trees[generation % 3] as (typeof trees)[number], generation + 1);
      generation++;
      await store.sweep();
    };
    await flip();
    await using runner = createRunner(store.store, { keepReady: true });
    const one = async () => {
      const [request, check] = random.next() < 0.7 ? (kinds[0] as (typeof kinds)[number]) : random.pick(kinds);
      check(await runner.run({ timeoutMs: 120_000, ...request }));
    };

    for (let i = 0; i < 8; i++) await one();
    const before = await idle(store);
    let left = runs;
    const work = async () => {
      while (left-- > 0) {
        await one();
        if (left % Math.ceil(runs / flips) === 0) await turn(flip);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    expect(generation).toBeGreaterThan(flips - 2);

    await until("all is as it was", async () => Bun.deepEquals(await holdings(store), before), { timeoutMs: 20_000 }).catch(
      async () => expect(await holdings(store)).toEqual(before),
    );
    await runner[Symbol.asyncDispose]();
    await store.sweep();
    expect(await readdir(`${store.store.directory}/runs`)).toEqual([]);
    expect((await readdir(store.store.layout.leases)).filter((name) => !name.endsWith(".sock"))).toEqual([]);
    expect(await processesAt(store.store.directory)).toEqual([]);
    // Whatever else this machine does in its temporary directory.
    expect((await newTemporary()).filter((name) => name.startsWith("larder-run-"))).toEqual([]);
  },
  isFull ? 7_200_000 : 170_000,
);

test("200 runs at the same time all succeed", async () => {
  await using store = await openTestStore();
  await store.serve(trees[0] as (typeof trees)[number], 1);
  await using runner = createRunner(store.store);
  const all = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      runner.run({ script: `import { now } from "letter"; export default now + context`, context: i, timeoutMs: 160_000 }),
    ),
  );
  expect(all.filter(({ error }) => error !== null).map(({ error }) => error)).toEqual([]);
  expect(all.map(({ result }) => result)).toEqual(Array.from({ length: 200 }, (_, i) => `a${i}`));
});

/** One flip at a time. */
let turns = Promise.resolve();
const turn = (flip: () => Promise<void>): Promise<void> => {
  turns = turns.then(flip);
  return turns;
};

interface Holdings {
  runs: number;
  leases: number;
  processes: number;
  descriptors: Record<string, number>;
}

/** With a place kept ready for the next run. */
async function idle(store: TestStore): Promise<Holdings> {
  await until("a place is ready", async () => (await holdings(store)).runs === 1);
  await Bun.sleep(300);
  return await holdings(store);
}

async function holdings({ store }: TestStore): Promise<Holdings> {
  const kinds = (await openDescriptors()).map((target) => (target.startsWith("/") ? "file" : target));
  return {
    runs: (await readdir(store.layout.runs)).length,
    leases: (await readdir(store.layout.leases)).length,
    processes: (await descendantsOf(process.pid)).length,
    descriptors: Object.fromEntries([...new Set(kinds)].sort().map((kind) => [kind, kinds.filter((of) => of === kind).length])),
  };
}
