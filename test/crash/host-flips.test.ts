import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { flipCurrent, openHostStore, openStoreWriter, sweepStore } from "../../src/host/index.ts";
import { buildGeneration } from "../harness/fixture-generation.ts";
import { createScene, reconcileTo, signedOf } from "./host-scene.ts";
import { scratch } from "./host-stage.ts";

const flips = Number(process.env.LARDER_FLIPS ?? (process.env.LARDER_FULL === "1" ? 10_000 : 300));
const processes = 5;
const readersEach = 10;

/** `app` asks `leaf` for its version when it is loaded, so that a mix shows. */
const content = (version: number) =>
  buildGeneration(
    [
      {
        name: "app",
        version: `${version}.0.0`,
        dependencies: { leaf: `${version}.0.0` },
        files: { "index.js": `module.exports = { app: "${version}", leaf: require("leaf") };` },
      },
      { name: "leaf", version: `${version}.0.0`, files: { "index.js": `module.exports = "${version}";` } },
    ],
    ["app"],
  );

test(
  `${flips} flips and their sweeps under ${processes * readersEach} readers that import: not one failure (I1, I7, I8)`,
  async () => {
    const directory = mkdtempSync(join(scratch, "larder-flips-"));
    try {
      const scene = await createScene([content(1), content(2)]);
      await using store = await openHostStore({ directory: join(directory, "data") });
      await using writer = await openStoreWriter(store, { purpose: "test" });
      for (const generation of [1, 2]) await reconcileTo(writer, scene, { generation });
      const driver = join(import.meta.dir, "host-reader.ts");
      const readers = await Promise.all(Array.from({ length: processes }, () => startReaders(driver, store.directory)));
      for (let flip = 0; flip < flips; flip += 1) {
        const { lockfileHash } = signedOf(scene, 1 + (flip % 2)).desired;
        await flipCurrent(writer, { generation: 3 + flip, lockfileHash });
        if (flip % 20 === 0) await sweepStore(writer);
      }
      const results = await Promise.all(readers.map((reader) => reader.stop()));
      const imports = results.reduce((total, result) => total + result.imports, 0);
      const failed = results.reduce((total, result) => total + result.failed, 0);
      console.log(`${flips} flips under ${processes * readersEach} readers: ${imports} imports, ${failed} failures`);
      expect(results.flatMap(({ failures }) => failures)).toEqual([]);
      expect(imports).toBeGreaterThan(flips / 10);
      for (const { generations } of results) expect(generations).toBe(2);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
  60 * 60_000,
);

interface ReaderResult {
  imports: number;
  generations: number;
  failures: string[];
  failed: number;
}

async function startReaders(driver: string, store: string): Promise<{ stop(): Promise<ReaderResult> }> {
  const child = spawn(process.execPath, [driver, store, `${readersEach}`], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.startsWith("ready\n")) resolve();
    });
    child.once("close", () => reject(new Error("a reader ended early")));
  });
  return {
    async stop() {
      const closed = new Promise((resolve) => child.once("close", resolve));
      child.stdin.end("\n");
      await closed;
      return JSON.parse(said.replace("ready\n", "")) as ReaderResult;
    },
  };
}
