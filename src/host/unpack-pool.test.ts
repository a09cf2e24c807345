import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { blobKeyOf } from "../contract/index.ts";
import { planPackageJob } from "./package-job.ts";
import { failureOf, fixture, openTestStore } from "./store-fixture.test-support.ts";
import { openUnpackPool } from "./unpack-pool.ts";
import { verifyStore } from "./verify.ts";

const names = Array.from({ length: 40 }, (_, index) => `p${index}`);
const built = fixture(
  Object.fromEntries(names.map((name) => [name, `${name}@1.0.0`])),
  Object.fromEntries(names.map((name, index) => [`${name}@1.0.0`, { files: { "lib/data.js": "x".repeat(index * 1000) } }])),
);
const planned = built.plan().packages;
const contentOf = (index: number) => {
  const blob = built.blobs.get(blobKeyOf(planned[index]?.integrity as never));
  return Uint8Array.from(blob as Buffer);
};
const noBoot = { bootId: "", replace: false };

describe("threads that unpack", () => {
  test("make the packages that one thread makes", async () => {
    await using host = await openTestStore();
    expect(await host.build(built)).toMatchObject({ packagesBuilt: 40 });
    expect((await verifyStore(host.store)).problems).toEqual([]);
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  });

  test("refuse what does not hash to the key, and say so as one thread does (I3)", async () => {
    await using host = await openTestStore();
    await using pool = openUnpackPool({ threads: 2 });
    const damaged = contentOf(0);
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    const jobs = planned.slice(0, 3).map((each) => planPackageJob(host.store.layout, each, noBoot));
    const [bad, ...good] = jobs.map((job, index) => pool.unpack(job, index === 0 ? damaged : contentOf(index)));
    const failure = await failureOf(bad as Promise<number>);
    expect(failure.code).toBe("E_INTEGRITY");
    expect(failure.message).toContain(`${planned[0]?.name}@1.0.0`);
    expect(await Promise.all(good)).toEqual([contentOf(1).length, contentOf(2).length]);
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  });

  test("pass on the disk's errors with path and code", async () => {
    await using host = await openTestStore();
    await using pool = openUnpackPool({ threads: 1 });
    const job = planPackageJob(host.store.layout, planned[0] as never, noBoot);
    const failure = await failureOf(pool.unpack({ ...job, directory: join(host.store.directory, "none", "x") }, contentOf(0)));
    expect(failure).toMatchObject({ code: "ENOENT", path: expect.stringContaining("none") });
  });

  test("write nothing any more once the pool is closed", async () => {
    await using host = await openTestStore();
    const pool = openUnpackPool({ threads: 2 });
    const tasks = planned.map((each, index) => pool.unpack(planPackageJob(host.store.layout, each, noBoot), contentOf(index)));
    await tasks[0];
    await pool[Symbol.asyncDispose]();
    const outcomes = await Promise.allSettled(tasks);
    const done = outcomes.filter(({ status }) => status === "fulfilled").length;
    expect(await readdir(host.store.layout.packages)).toHaveLength(done);
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  });

  test("load neither schemas nor the logger: they would take longer to start than to do their work", async () => {
    const { outputs } = await Bun.build({
      entrypoints: [join(import.meta.dir, "unpack-thread.ts")],
      target: "node",
      packages: "external",
    });
    const imported = [...((await outputs[0]?.text()) ?? "").matchAll(/from "([^"]+)"/g)].map(([, specifier]) => specifier);
    expect(
      imported.filter(
        (specifier) =>
          !specifier?.startsWith("node:") && !/^(fs|path|crypto|zlib|stream\/promises|worker_threads)$/.test(specifier ?? ""),
      ),
    ).toEqual([]);
  });
});

test("without threads, the same is done here", async () => {
  await using host = await openTestStore();
  await using pool = openUnpackPool({ threads: 0 });
  const job = planPackageJob(host.store.layout, planned[5] as never, noBoot);
  expect(await pool.unpack(job, contentOf(5))).toBe(contentOf(5).length);
});
