import { createHash } from "node:crypto";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBlobStores, openBlobStore } from "../src/blobs/index.ts";
import type { BlobKey, MigrateResult } from "../src/contract/index.ts";
import {
  claimNextOperation,
  type Db,
  ensureActiveStore,
  finishOperation,
  openDatabase,
  putBlobEntry,
  tryElect,
} from "../src/db/index.ts";
import { mapConcurrent, silentLogger } from "../src/lib/index.ts";
import { createMigrateHandler, requestMigration } from "../src/operations/index.ts";
import { startPostgres } from "../test/harness/postgres.ts";
import { openRegistryMirror } from "../test/harness/registry-mirror.ts";
import { startS3 } from "../test/harness/s3.ts";

// How fast all blobs move from one store to another, with every one read back and hashed, against a plain copy of the same files.
// Run: node_modules/.bin/bun bench/migration.ts [BLOBS]
// The tarballs are those of real packages, from the registry; what was fetched once is kept between runs.

const wanted = Number(process.argv[2] ?? 400);
const parallel = Number(process.argv[3] ?? 4);
const roots = [
  "express",
  "react-dom",
  "webpack",
  "eslint",
  "jest",
  "typescript",
  "lodash",
  "axios",
  "zod",
  "vite",
  "rollup",
  "esbuild",
  "prettier",
  "next",
  "vue",
  "svelte",
  "fastify",
  "koa",
  "mongodb",
  "pg",
  "mysql2",
  "redis",
  "knex",
  "sequelize",
  "prisma",
  "graphql",
  "rxjs",
  "date-fns",
  "moment",
  "dayjs",
  "uuid",
  "chalk",
  "commander",
  "yargs",
  "inquirer",
  "ora",
  "glob",
  "rimraf",
  "semver",
  "ws",
  "socket.io",
  "puppeteer-core",
  "playwright-core",
  "cheerio",
  "jsdom",
  "pino",
  "winston",
  "bullmq",
  "ioredis",
  "sharp",
  "three",
  "d3",
  "chart.js",
  "mathjs",
  "immer",
  "redux",
];

await using stack = new AsyncDisposableStack();
const mirror = stack.use(await openRegistryMirror());
const tarballs = await fetchTarballs(mirror.url, wanted);
const totalBytes = [...tarballs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
const directory = await mkdtemp(join(tmpdir(), "larder-bench-"));
stack.defer(() => rm(directory, { recursive: true, force: true }));

const url = await stack.use(await startPostgres()).createDatabase();
const s3 = stack.use(await startS3());
const db = stack.use(await openDatabase({ url }));
const source = join(directory, "blobs");
const stores = stack.use(
  createBlobStores({
    fs: () => openBlobStore({ driver: "fs", directory: source }),
    postgres: () => openBlobStore({ driver: "postgres", db }),
    s3: () => openBlobStore({ driver: "s3", bucket: s3.bucket, endpoint: s3.endpoint, credentials: s3.credentials }),
  }),
);
await ensureActiveStore(db.query, "fs");
const fs = await stores.open("fs");
for (const [key, bytes] of tarballs) {
  await fs.put(key, single(bytes));
  await db.transaction((tx) => putBlobEntry(tx, { key, sizeBytes: bytes.byteLength, store: "fs" }));
}

console.log(`${tarballs.size} blobs, ${megabytes(totalBytes)} MB; ${parallel} at a time\n`);
console.log("| from → to | plain copy, s | migration, s | migration, MB/s | of plain |");
console.log("|---|---|---|---|---|");
const startedAt = performance.now();
await cp(source, join(directory, "copy"), { recursive: true });
console.log(`| files → files, unsynced (\`cp -r\`) | ${((performance.now() - startedAt) / 1000).toFixed(2)} | | | |`);
let from = "fs";
for (const target of ["postgres", "s3", "fs"]) {
  await empty(target);
  const plainMs = await plainCopy(from, target);
  await empty(target);
  const { durationMs, copied } = await migrate(db, target);
  if (copied !== tarballs.size) throw new Error(`${copied} of ${tarballs.size} were copied to ${target}`);
  const rate = (totalBytes / 1e3 / durationMs).toFixed(1);
  const share = Math.round((plainMs / durationMs) * 100);
  console.log(
    `| ${from} → ${target} | ${(plainMs / 1000).toFixed(2)} | ${(durationMs / 1000).toFixed(2)} | ${rate} | ${share} % |`,
  );
  from = target;
}

async function empty(name: string): Promise<void> {
  const store = await stores.open(name);
  for (const key of tarballs.keys()) await store.delete(key);
}

/** What any copy through the two drivers costs: read, put, durable; not read back, not recorded. */
async function plainCopy(from: string, to: string): Promise<number> {
  const [source, target] = [await stores.open(from), await stores.open(to)];
  const begunAt = performance.now();
  await mapConcurrent([...tarballs.keys()], { limit: parallel }, async (key) => {
    const found = await source.get(key);
    if (found) await target.put(key, found.content);
  });
  return performance.now() - begunAt;
}

async function migrate(database: Db, target: string): Promise<MigrateResult> {
  await requestMigration(database, { input: { target, parallel }, requestedBy: "bench" });
  const election = await tryElect(database);
  if (!election) throw new Error("not elected");
  await using _election = election;
  const operation = await claimNextOperation(database.query, election.epoch);
  if (operation?.kind !== "migrate") throw new Error("no migration was queued");
  const handler = createMigrateHandler({ db: database, stores, logger: silentLogger });
  const result = await handler({ operation, epoch: election.epoch, signal: election.signal, report() {} });
  await finishOperation(database.query, { id: operation.id, epoch: election.epoch, outcome: { state: "succeeded", result } });
  return result;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Breadth first from well-known packages along their dependencies, the latest version of each. */
async function fetchTarballs(registry: string, count: number): Promise<Map<BlobKey, Buffer>> {
  const found = new Map<BlobKey, Buffer>();
  const queue = [...roots];
  const seen = new Set(queue);
  while (found.size < count) {
    const batch = queue.splice(0, 8);
    if (batch.length === 0) throw new Error(`There are only ${found.size} packages to be had from ${roots.length} roots.`);
    await Promise.all(
      batch.map(async (name) => {
        const answer = await fetch(`${registry}${name.replace("/", "%2f")}`);
        if (!answer.ok) return;
        const packument = (await answer.json()) as Packument;
        const latest = packument.versions[packument["dist-tags"].latest];
        if (latest === undefined) return;
        for (const dependency of Object.keys(latest.dependencies ?? {})) {
          if (!seen.has(dependency)) queue.push(dependency);
          seen.add(dependency);
        }
        const tarball = await fetch(latest.dist.tarball);
        if (!tarball.ok || found.size >= count) return;
        const bytes = Buffer.from(await tarball.arrayBuffer());
        found.set(createHash("sha512").update(bytes).digest("hex") as BlobKey, bytes);
      }),
    );
  }
  return new Map([...found].slice(0, count));
}

interface Packument {
  "dist-tags": { latest: string };
  versions: Record<string, { dist: { tarball: string }; dependencies?: Record<string, string> }>;
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 1 << 18) yield bytes.subarray(at, at + (1 << 18));
}
