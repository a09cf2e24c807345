import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquireLease, currentTree, openHostStore, openStoreWriter, sweepStore } from "../../src/host/index.ts";
import { armFailpoints } from "../../src/lib/index.ts";
import { buildGeneration, type FixtureGeneration } from "../harness/fixture-generation.ts";
import { leftoversIn } from "../harness/leaks.ts";
import { type Operation, perform } from "./host-driver.ts";
import { type Directories, type Expectation, neededBy, readDirectories, violationsIn } from "./host-oracle.ts";
import { createScene, reconcileTo, type Scene, signedOf } from "./host-scene.ts";

/** A store that an operation can be tried on as often as one likes. */
interface Prepared {
  directory: string;
  /** What the operation leads to. */
  generation: number;
  expectation: Expectation;
}

export interface Stage extends Disposable {
  directory: string;
  scene: Scene;
  sceneFile: string;
  prepared: Record<Operation, Prepared>;
}

/** In memory where there is a file system for that. */
export const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** One leaf changes with each generation, and with it what depends on it; `twin` has two contexts, and so shares the files of one tarball. */
export function contentOf(version: number): FixtureGeneration {
  const leaf = {
    name: "leaf",
    version: `${version}.0.0`,
    files: { "index.js": `module.exports = ${version};`, "lib/a.js": "a".repeat(3000) },
  };
  return buildGeneration(
    [
      { name: "app", version: "1.0.0", dependencies: { leaf: leaf.version, same: "1.0.0" } },
      leaf,
      { name: "same", version: "1.0.0", files: { "bin/run.js": "#!/usr/bin/env node" } },
    ],
    ["app", "same"],
  );
}

export async function openStage(): Promise<Stage> {
  const directory = mkdtempSync(join(scratch, "larder-crash-"));
  const scene = await createScene([1, 2, 3, 4].map(contentOf));
  const sceneFile = join(directory, "scene.json");
  await writeFile(sceneFile, JSON.stringify(scene));
  const reference = await buildReference(join(directory, "reference"), scene);
  return {
    directory,
    scene,
    sceneFile,
    prepared: {
      reconcile: await prepareReconcile(join(directory, "reconcile"), scene, reference),
      flip: await prepareFlip(join(directory, "flip"), scene, reference),
      sweep: await prepareSweep(join(directory, "sweep"), scene, reference),
      repair: await prepareRepair(join(directory, "repair"), scene, reference),
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export const hashOf = (scene: Scene, generation: number): string => signedOf(scene, generation).desired.lockfileHash;

/** All trees of all generations, kept from the sweeps of later ones by leases. */
async function reconcileAll(directory: string, scene: Scene, generations: readonly number[]): Promise<void> {
  await using store = await openHostStore({ directory });
  await using writer = await openStoreWriter(store, { purpose: "test" });
  await using leases = new AsyncDisposableStack();
  for (const generation of generations) {
    await reconcileTo(writer, scene, { generation });
    const lease = await acquireLease(store, { purpose: "test" });
    if (lease) leases.use(lease);
  }
}

export async function buildReference(directory: string, scene: Scene): Promise<Directories> {
  await reconcileAll(directory, scene, Object.keys(scene.signed).map(Number));
  return readDirectories(directory);
}

const expecting = (scene: Scene, reference: Directories, from: number, to: number): Expectation => ({
  reference,
  currents: from === to ? [hashOf(scene, to)] : [hashOf(scene, from), hashOf(scene, to)],
  leased: [hashOf(scene, 1)],
  lowestAccepted: from,
  secret: scene.token,
});

async function prepareReconcile(directory: string, scene: Scene, reference: Directories): Promise<Prepared> {
  await reconcileAll(directory, scene, [1, 2]);
  return { directory, generation: 3, expectation: expecting(scene, reference, 2, 3) };
}

async function prepareFlip(directory: string, scene: Scene, reference: Directories): Promise<Prepared> {
  await reconcileAll(directory, scene, [1, 2]);
  armFailpoints((name) => {
    if (name === "reconcile:before-recheck") throw new Error("stop before the flip");
  });
  await perform(directory, "reconcile", { scene, generation: 3 }).catch(() => {});
  armFailpoints(undefined);
  return { directory, generation: 3, expectation: expecting(scene, reference, 2, 3) };
}

async function prepareSweep(directory: string, scene: Scene, reference: Directories): Promise<Prepared> {
  await reconcileAll(directory, scene, [1, 2, 3, 4]);
  await mkdir(join(directory, "runs/dead/node_modules"), { recursive: true });
  await writeFile(join(directory, "leases", `${hashOf(scene, 2)}.0123456789ab.1-0123.sock`), "{}");
  await mkdir(join(directory, "incoming/half/node_modules"), { recursive: true });
  await writeFile(join(directory, "incoming/half/file"), "half");
  await mkdir(join(directory, "trash/old"), { recursive: true });
  return { directory, generation: 4, expectation: expecting(scene, reference, 4, 4) };
}

async function prepareRepair(directory: string, scene: Scene, reference: Directories): Promise<Prepared> {
  await reconcileAll(directory, scene, [1, 2]);
  const damagedPackages = [...neededBy(hashOf(scene, 2), reference)].filter(
    (name) => !neededBy(hashOf(scene, 1), reference).has(name),
  );
  const broken = damagedPackages.filter((name) => name.startsWith("packages/"));
  for (const name of broken) {
    const file = [...(reference.get(name)?.keys() ?? [])].find(
      (path) => path.endsWith("index.js") || path.endsWith("package.json"),
    );
    await truncate(join(directory, name, file ?? ""), 3);
  }
  await rm(join(directory, "trees", hashOf(scene, 2), "node_modules/same"));
  const damaged = new Map([...readDirectories(directory)].filter(([name]) => damagedPackages.includes(name)));
  return { directory, generation: 2, expectation: { ...expecting(scene, reference, 2, 2), damaged } };
}

/** A copy of a prepared store, with a lease of this process on its oldest tree. */
export interface Attempt extends AsyncDisposable {
  directory: string;
  /** What does not hold right now. */
  violations(): string[];
  /** Opens it again and does it again: what then does not hold (I10 – I13). */
  recover(): Promise<string[]>;
}

let attempts = 0;

export async function openAttempt(stage: Stage, operation: Operation): Promise<Attempt> {
  const { directory: original, generation, expectation } = stage.prepared[operation];
  const directory = join(stage.directory, `attempt-${attempts++}`);
  const copied = spawnSync("cp", ["-a", original, directory]);
  if (copied.status !== 0) throw new Error(copied.stderr.toString());
  const store = await openHostStore({ directory });
  const lease = await acquireLease(store, { purpose: "a run of long ago", generation: 1 });
  if (!lease) throw new Error("generation 1 is not there");
  const violations = () => violationsIn(directory, expectation);
  return {
    directory,
    violations,
    async recover() {
      await perform(directory, operation, { scene: stage.scene, generation });
      const found = violationsIn(directory, { ...expectation, damaged: new Map() });
      await lease[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      return [...found, ...(await afterSweep(directory, stage.scene, { generation, reference: expectation.reference }))];
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The state of one success, and nothing else. */
export async function afterSweep(
  directory: string,
  scene: Scene,
  { generation, reference }: { generation: number; reference: Directories },
): Promise<string[]> {
  const found: string[] = [];
  await using store = await openHostStore({ directory });
  const writer = await openStoreWriter(store, { purpose: "test" });
  await sweepStore(writer);
  const tree = await currentTree(store);
  await writer[Symbol.asyncDispose]();
  if (tree?.generation !== generation || tree.lockfileHash !== hashOf(scene, generation))
    found.push(`I10 serves generation ${tree?.generation} instead of ${generation}`);
  const kept = new Set([generation - 1, generation].flatMap((number) => [...neededBy(hashOf(scene, number), reference)]));
  const there = [...readDirectories(directory).keys()];
  if (there.length !== kept.size || there.some((name) => !kept.has(name))) found.push(`I12 I13 keeps ${there.sort()}`);
  const left = (await leftoversIn(directory)).filter((path) => !isYoungSocket(path));
  if (left.length > 0) found.push(`I13 ${left}`);
  const accepted = JSON.parse(await readFile(join(directory, "state/accepted.json"), "utf8")) as { generation: number };
  if (accepted.generation !== generation) found.push(`I6 accepted ${accepted.generation}`);
  if ((await readdir(join(directory, "runs"))).length > 0) found.push("I13 runs");
  return found;
}

/** A sweep leaves silent sockets alone for a minute: they may be about to answer. */
const isYoungSocket = (path: string): boolean => path.startsWith("leases/") && path.endsWith(".sock");
