import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { acquireLease, type HostStore, type Lease, openHostStore } from "../../src/host/index.ts";
import { type Random, withRandom } from "../harness/random.ts";
import { perform } from "./host-driver.ts";
import { type Directories, violationsIn } from "./host-oracle.ts";
import { createScene, type Scene } from "./host-scene.ts";
import { afterSweep, buildReference, contentOf, hashOf, scratch } from "./host-stage.ts";

/** `LARDER_FULL=1`: the recorded run. */
const cycles = Number(process.env.LARDER_CYCLES ?? (process.env.LARDER_FULL === "1" ? 2500 : 120));
/** A lease outlives this many cycles; then the store is looked at as after one success. */
const blockOf = 40;

test(
  `${cycles} times kill -9 of a host at a random moment of a reconcile: never a mix, never none, and it goes on (I1–I3, I6–I13)`,
  () =>
    withRandom(async (random) => {
      const directory = mkdtempSync(join(scratch, "larder-kill-"));
      try {
        const tally = await killAndKill(directory, random);
        console.log(
          `host alone: ${cycles} cycles, ${tally.killed} killed inside, ${tally.flipped} of them after the flip; ` +
            `${tally.generation} generations, ${tally.violations.length} violations`,
        );
        expect(tally.violations).toEqual([]);
        expect(tally.killed).toBeGreaterThan(cycles / 2);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    }),
  60 * 60_000,
);

interface Loop {
  directory: string;
  data: string;
  driver: string;
  scene: Scene;
  reference: Directories;
}

async function killAndKill(directory: string, random: Random) {
  const contents = [1, 2, 3, 4, 5].map(contentOf);
  const scene = await createScene(contents, { generations: cycles + 2 });
  const loop: Loop = {
    directory,
    data: join(directory, "data"),
    driver: join(import.meta.dir, "host-driver.ts"),
    scene,
    reference: await buildReference(join(directory, "reference"), await createScene(contents)),
  };
  const tally = { killed: 0, flipped: 0, generation: 1, violations: [] as string[] };
  await perform(loop.data, "reconcile", { scene, generation: 1 });
  tally.generation = 2;
  let cycleMs = (await runDriver(loop, tally.generation, undefined)) ?? 0;
  let held: { store: HostStore; lease: Lease } | undefined;
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    if (cycle % blockOf === 0) {
      tally.violations.push(...(await endBlock(loop, tally.generation, held)));
      held = await holdCurrent(loop.data);
    }
    const before = currentOf(loop.data);
    const accepted = acceptedOf(loop.data);
    if (currentOf(loop.data) === hashOf(scene, tally.generation)) tally.generation += 1;
    const took = await runDriver(loop, tally.generation, random.next() * 1.1 * cycleMs);
    if (took === undefined) tally.killed += 1;
    else cycleMs = 0.9 * cycleMs + 0.1 * took;
    if (took === undefined && currentOf(loop.data) !== before) tally.flipped += 1;
    const found = violationsIn(loop.data, {
      reference: loop.reference,
      currents: [before, hashOf(scene, tally.generation)],
      leased: held ? [held.lease.tree.lockfileHash] : [],
      lowestAccepted: accepted,
      secret: scene.token,
    });
    tally.violations.push(...found.map((violation) => `cycle ${cycle}: ${violation}`));
  }
  tally.violations.push(...(await endBlock(loop, tally.generation, held)));
  return tally;
}

const currentOf = (data: string): string => readlinkSync(join(data, "current")).replace("trees/", "");
const acceptedOf = (data: string): number =>
  (JSON.parse(readFileSync(join(data, "state/accepted.json"), "utf8")) as { generation: number }).generation;

async function holdCurrent(data: string): Promise<{ store: HostStore; lease: Lease }> {
  const store = await openHostStore({ directory: data });
  const lease = await acquireLease(store, { purpose: "a long run" });
  if (!lease) throw new Error("there is no current tree");
  return { store, lease };
}

/** Lets go, reconciles once without a fault, and answers what is not as after one success. */
async function endBlock(
  { data, scene, reference }: Loop,
  generation: number,
  held: { store: HostStore; lease: Lease } | undefined,
): Promise<string[]> {
  await perform(data, "reconcile", { scene, generation });
  const found = held
    ? violationsIn(data, {
        reference,
        currents: [hashOf(scene, generation)],
        leased: [held.lease.tree.lockfileHash],
        lowestAccepted: generation,
        secret: scene.token,
      })
    : [];
  await held?.store[Symbol.asyncDispose]();
  // Which tree was the one before depends on where the kills fell; that there is one, and only one, does not.
  const settled = await afterSweep(data, scene, { generation, reference });
  return [...found, ...settled.filter((violation) => !violation.startsWith("I12 I13 keeps"))];
}

/** From the operation's beginning; `undefined`: it was killed `killAfterMs` after that. */
async function runDriver(loop: Loop, generation: number, killAfterMs: number | undefined): Promise<number | undefined> {
  const { signed, ...rest } = loop.scene;
  const sceneFile = join(loop.directory, "scene.json");
  writeFileSync(sceneFile, JSON.stringify({ ...rest, signed: { [generation]: signed[generation] } }));
  const child = spawn(process.execPath, [loop.driver, loop.data, "reconcile", `${generation}`, sceneFile], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let said = "";
  let beganAt = 0;
  let endedAt: number | undefined;
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.endsWith("done\n")) endedAt = performance.now();
      if (beganAt > 0 || !said.startsWith("ready\n")) return;
      beganAt = performance.now();
      child.stdin.end("\n");
      if (killAfterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    });
    child.once("close", () => resolve());
  });
  if (endedAt !== undefined) return endedAt - beganAt;
  if (child.signalCode !== "SIGKILL") throw new Error(`the driver said ${said}`);
  return undefined;
}
