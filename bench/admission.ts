// Where the processor time of fetching goes in a cold install: each part alone, over the same tarballs, in a process of its own. Asserts nothing.
// `npm run bench -- admission [--rounds N] [--json]`.
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { readTarball } from "../src/archive/index.ts";
import { openBlobStore } from "../src/blobs/index.ts";
import type { BlobKey, PackageName } from "../src/contract/index.ts";
import { assertEpoch, type Election, openDatabase, putBlobEntries, putPackageTypes } from "../src/db/index.ts";
import { mapConcurrent } from "../src/lib/index.ts";
import { createRegistryClient } from "../src/npm/index.ts";
import { createTypesCutter, packBundle } from "../src/types/index.ts";
import { collectTarballs } from "./collect-tarballs.ts";
import { createReport, fileSystemOf, openScratch, readOptions, say } from "./report.ts";

interface Tarball {
  key: BlobKey;
  content: Buffer;
}

/** Prepares, and answers what is measured. */
type Step = (tarballs: Tarball[], directory: string, registry: string) => Promise<() => Promise<unknown>>;

const sink = { beginFile() {}, data() {}, endFile() {} };
const label = "a tarball";
const each = <T>(items: T[], work: (item: T) => Promise<unknown>) => mapConcurrent(items, { limit: 12 }, work);

const steps: Record<string, Step> = {
  "downloaded, by the registry client": async (tarballs, _directory, registry) => {
    const client = createRegistryClient({ registry: new URL(registry) });
    const name = "a" as PackageName;
    return () => each(tarballs, async ({ key }) => drain(await client.tarball(`${registry}${key}`, { name, label })));
  },
  "SHA-512, inflate, archive rules": async (tarballs) => () =>
    each(tarballs, ({ content }) => readTarball(content, sink, { label })),
  "the same, and declarations cut and packed": async (tarballs) => () => each(tarballs, cut),
  "put, with fsync": async (tarballs, directory) => {
    const store = await openBlobStore({ driver: "fs", directory });
    return () => each(tarballs, ({ key, content }) => store.put(key, once(content), { sizeBytes: content.length }));
  },
  "read back and hashed": async (tarballs, directory) => {
    const store = await openBlobStore({ driver: "fs", directory });
    await each(tarballs, ({ key, content }) => store.put(key, once(content)));
    return () => each(tarballs, async ({ key }) => drain((await store.get(key))?.content ?? []));
  },
  "rows on PGlite, 12 a transaction": (tarballs, directory) => writeRows(tarballs, directory, 12),
  "rows on PGlite, one a transaction": (tarballs, directory) => writeRows(tarballs, directory, 1),
};

const [mode, step = "", blobs = "", target = "", registry = ""] = process.argv.slice(2);
if (mode === "step") await measureStep();
else await measureSteps();

/** Prints the processor time, user and system, of all threads. */
async function measureStep(): Promise<never> {
  const tarballs = readdirSync(blobs).map((key) => ({ key: key as BlobKey, content: readFileSync(join(blobs, key)) }));
  const prepare = steps[step];
  if (!prepare) throw new Error(`no step ${step}`);
  const work = await prepare(tarballs, target, registry);
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / 1000);
  process.exit();
}

async function measureSteps(): Promise<void> {
  const { rounds, json } = readOptions(7);
  const report = createReport();
  await using scratch = await openScratch("admission");
  const { files, bytes } = await collectTarballs(scratch.join("tarballs"));
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => new Response(Bun.file(scratch.join("tarballs", new URL(url).pathname.slice(1)))),
  });
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (const name of Object.keys(steps)) {
      const directory = scratch.join("target");
      await mkdir(directory);
      const args = [process.execPath, import.meta.path, "step", name, scratch.join("tarballs"), directory, server.url.href];
      const child = Bun.spawn(args, { stdout: "pipe", stderr: "inherit" });
      report.add(name, Number(await new Response(child.stdout).text()));
      if ((await child.exited) !== 0) throw new Error(`${name} failed`);
      await rm(directory, { recursive: true });
    }
  }
  await server.stop(true);
  await report.write("admission", {
    json,
    heading: [
      `${files} tarballs of ${(bytes / 1e6).toFixed(1)} MB. Processor time of one process, each part from cold, ${rounds} rounds, median (minimum–maximum); Bun ${Bun.version}, ${cpus().length} cores, ${await fileSystemOf(scratch.path)}.`,
    ],
    rows: Object.keys(steps).map((name) => ({ title: name, ours: name, peers: [] })),
  });
}

async function cut({ content }: Tarball) {
  const cutter = createTypesCutter();
  await readTarball(content, cutter.sink, { label });
  return await packBundle(cutter.finish());
}

/** As an install writes them, so many in a transaction. */
async function writeRows(tarballs: Tarball[], directory: string, perTransaction: number): Promise<() => Promise<void>> {
  const db = await openDatabase({ directory });
  const { epoch } = (await db.elect()) as Election;
  const types = await mapConcurrent(tarballs, { limit: 12 }, async (tarball) => {
    const { key, content } = await cut(tarball);
    return { blobKey: tarball.key, bundleKey: key, content };
  });
  const rows = tarballs.map(({ key, content }) => ({ key, sizeBytes: content.length }));
  return async () => {
    for (let start = 0; start < rows.length; start += perTransaction) {
      await db.transaction(async (tx) => {
        await assertEpoch(tx, epoch);
        await putBlobEntries(tx, "fs", rows.slice(start, start + perTransaction));
        await putPackageTypes(tx, types.slice(start, start + perTransaction));
      });
    }
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function drain(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  for await (const _ of content);
}
