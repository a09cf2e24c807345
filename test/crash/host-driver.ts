// Run as a process of its own by the crash tests, to be killed or to be given errors: one operation on one store.
// Arguments: store directory, operation, generation, scene file, FIFO. Prints `ready`, begins when it is told to, prints `done` or its error as JSON.

import { open } from "node:fs/promises";
import { LarderError } from "../../src/contract/index.ts";
import { flipCurrent, openHostStore, openStoreWriter, sweepStore } from "../../src/host/index.ts";
import { readScene, reconcileTo, type Scene, signedOf } from "./host-scene.ts";

export const operations = ["reconcile", "flip", "sweep", "repair"] as const;
export type Operation = (typeof operations)[number];

/** From opening the store to closing it. */
export async function perform(
  directory: string,
  operation: Operation,
  { scene, generation }: { scene: Scene; generation: number },
): Promise<void> {
  await using store = await openHostStore({ directory });
  await using writer = await openStoreWriter(store, { purpose: operation });
  const { lockfileHash } = signedOf(scene, generation).desired;
  if (operation === "flip") await flipCurrent(writer, { generation, lockfileHash });
  else if (operation === "sweep") await sweepStore(writer);
  else await reconcileTo(writer, scene, { generation, repair: operation === "repair" });
}

if (import.meta.main) {
  const [directory = "", operation, generation, sceneFile = "", fifo] = process.argv.slice(2);
  const scene = readScene(sceneFile);
  // Bun has no fewer than two threads for files. One of them waits for a writer that never comes, so that the other makes every call, in order.
  if (fifo) void open(fifo, "r");
  process.stdout.write("ready\n");
  await new Promise((resolve) => process.stdin.once("data", resolve).once("end", resolve));
  const outcome = await perform(directory, operation as Operation, { scene, generation: Number(generation) }).then(
    () => "done",
    (error) => JSON.stringify({ known: error instanceof LarderError, code: error.code, message: error.message }),
  );
  process.stdout.write(`${outcome}\n`);
  process.exit(0);
}
