// Run as a process of its own by `host-flips.test.ts`: readers that import from `current` until their input ends.
// Arguments: store directory, number of readers. Prints how many imports there were, and what failed, as JSON.

import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { acquireLease, openHostStore } from "../../src/host/index.ts";

const [directory = "", readers = ""] = process.argv.slice(2);
const store = await openHostStore({ directory });
let imports = 0;
let stopped = false;
const failures: string[] = [];
const seen = new Set<string>();

/** As a run does: the tree is held, and its real path is what counts. */
async function readLeased(): Promise<void> {
  const lease = await acquireLease(store, { purpose: "reader" });
  if (!lease) throw new Error("there is no current tree");
  await using _held = lease;
  await importBoth(lease.tree.path);
}

/** As anything that just follows the link. */
async function readCurrent(): Promise<void> {
  await importBoth(await realpath(store.layout.current));
}

/** `app` and its dependency must be of one generation (I7). A query makes the import a new one, files and all. */
async function importBoth(tree: string): Promise<void> {
  const file = await realpath(join(tree, "node_modules/app/index.js"));
  const app = (await import(`${file}?${imports}`)) as { default: { app: string; leaf: string } };
  imports += 1;
  if (app.default.app !== app.default.leaf) throw new Error(`app ${app.default.app} with leaf ${app.default.leaf}`);
  seen.add(app.default.app);
}

async function reader(index: number): Promise<void> {
  while (!stopped) await (index % 2 === 0 ? readLeased() : readCurrent()).catch((error: Error) => failures.push(error.message));
}

process.stdin
  .once("data", () => {})
  .once("end", () => {
    stopped = true;
  });
process.stdout.write("ready\n");
await Promise.all(Array.from({ length: Number(readers) }, (_, index) => reader(index)));
process.stdout.write(
  `${JSON.stringify({ imports, generations: seen.size, failures: failures.slice(0, 10), failed: failures.length })}\n`,
);
process.exit(0);
