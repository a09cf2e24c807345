import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import {
  openStorageStage,
  SimulatedCrash,
  type StorageStage,
  type StoreRequest,
  wholeCopy,
} from "../../test/harness/storage-stage.ts";
import { type BlobKey, defaultEnvironment, hasCode, type Id } from "../contract/index.ts";
import {
  type Db,
  getActiveStore,
  insertHost,
  listBlobEntries,
  listGenerations,
  listManifestBlobs,
  openDatabase,
  reportHosts,
  setActiveStore,
  tryElect,
} from "../db/index.ts";
import { armFailpoints } from "../lib/index.ts";
import { rollbackTo } from "./generations/rollback.ts";

// Migration and collection against any history of installs, rollbacks, hosts, damage, crashes and sleepers, on the real handlers and a real database.

const runs = Number(process.env.LARDER_MODEL_RUNS ?? 25);
const hourMs = 3600_000;
let db: Db;
beforeAll(async () => {
  db = await openDatabase({ memory: true });
}, 30_000);
afterAll(() => db[Symbol.asyncDispose]());

const stores = ["fs", "s3"] as const;
const crashes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 2 });
const operation = fc.oneof(
  fc.record({ kind: fc.constant("migrate" as const), target: fc.constantFrom(...stores) }),
  fc.record({ kind: fc.constant("collect" as const), graceMs: fc.constantFrom(0, 24 * hourMs) }),
);
const command = fc.oneof(
  fc.record({ do: fc.constant("install" as const), fresh: fc.integer({ min: 0, max: 3 }), again: fc.nat(255) }),
  fc.record({ do: fc.constant("rollback" as const), back: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant("host reports" as const), back: fc.nat(3) }),
  fc.record({ do: fc.constant("wait" as const), hours: fc.constantFrom(1, 13, 25) }),
  fc.record({ do: fc.constant("damage a stray" as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant("operate" as const), operation, crashes, recoverLater: fc.boolean() }),
  fc.record({ do: fc.constant("operate" as const), operation, crashes, recoverLater: fc.boolean() }),
  fc.record({
    do: fc.constant("sleep through" as const),
    operation,
    at: fc.integer({ min: 1, max: 12 }),
    meanwhile: fc.option(operation),
  }),
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

test(`I3 I4 I5 I11 I12 I13 hold through ${runs} histories of installs, migrations, collections, crashes and sleepers`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 3, maxLength: 14 }), async (history) => {
      await clear();
      await using stage = await openStorageStage({ names: [...stores], database: db });
      await db.transaction((tx) => setActiveStore(tx, "fs"));
      const state: History = { blobs: new Map(), hostAt: undefined };
      for (const step of history) {
        await perform(stage, state, step);
        await assertReach(stage, state);
      }
      await assertTidiesUp(stage);
    }),
    { numRuns: runs },
  );
}, 120_000);

interface History {
  /** What was ever put. */
  blobs: Map<BlobKey, Uint8Array>;
  hostAt: number | undefined;
}

async function perform(stage: StorageStage, state: History, step: Command): Promise<void> {
  const { query } = stage.db;
  switch (step.do) {
    case "install": {
      // An install fetches what no row names, and what it names without bytes.
      const again = [...state.blobs.values()].slice(-8).filter((_, bit) => step.again & (1 << bit));
      const contents = [...again, ...Array.from({ length: step.fresh }, () => randomBytes(50))];
      const keys: BlobKey[] = [];
      for (const bytes of contents) keys.push(await stage.addBlob(bytes));
      for (const [index, key] of keys.entries()) state.blobs.set(key, contents[index]!);
      await stage.commit(...new Set(keys));
      return;
    }
    case "rollback": {
      const [current] = await listGenerations(query, defaultEnvironment, { limit: 1 });
      const number = Math.max(1, (current?.number ?? 0) - step.back);
      const signer = { storeId: "s", sign: async (desired: object) => ({ desired }) as never };
      try {
        await rollbackTo(stage.db, signer, { environment: defaultEnvironment, number, requestedBy: "test" });
      } catch (error) {
        if (!hasCode(error, "E_NOT_FOUND", "E_CONFLICT")) throw error;
      }
      return;
    }
    case "host reports": {
      // It can only have got there while the generation could be had.
      const number = (await listGenerations(query, defaultEnvironment)).filter(({ available }) => available)[step.back]?.number;
      if (number === undefined || number < (state.hostAt ?? 0)) return;
      await insertHost(query, { id: "h" as Id, environment: defaultEnvironment });
      const platform = { os: "linux", cpu: "x64" } as never;
      const report = { phase: "ready", generation: number, agentVersion: "1", runsInFlight: 0, platform } as const;
      await reportHosts(query, [{ id: "h" as Id, report }]);
      state.hostAt = number;
      return;
    }
    case "wait":
      for (const column of ["blobs.unreferenced_since", "manifests.unreferenced_since", "stray_blobs.since"]) {
        const [table, name] = column.split(".");
        await query.execute(sql.raw(`update ${table} set ${name} = ${name} - interval '${step.hours} hours'`));
      }
      return;
    case "damage a stray": {
      const recorded = new Map((await listBlobEntries(query)).map(({ key, store }) => [key, store]));
      const strays: [string, BlobKey][] = [];
      for (const name of stores) {
        for (const key of await stage.stores[name]!.keys()) if (recorded.get(key) !== name) strays.push([name, key]);
      }
      const [store, key] = strays[step.which % Math.max(1, strays.length)] ?? [];
      if (store && key) stage.stores[store]!.damage(key);
      return;
    }
    case "operate":
      await recovered(stage);
      await withCrashes(stage, step.crashes, async () => {
        await operate(stage, step.operation);
      });
      if (step.recoverLater) return;
      await recovered(stage);
      if (step.operation.kind === "migrate") await assertMigrated(stage, step.operation.target);
      return;
    case "sleep through": {
      let before = "";
      await recovered(stage);
      const slept = await stage.sleepThrough(step.operation, step.at, async () => {
        if (step.meanwhile) {
          await recovered(stage);
          await operate(stage, step.meanwhile);
        } else await (await tryElect(stage.db))?.[Symbol.asyncDispose]();
        before = await indexOf(stage);
      });
      // I5: whoever wakes up without the election changes nothing.
      if (slept) expect(await indexOf(stage)).toBe(before);
    }
  }
}

async function operate(stage: StorageStage, request: StoreRequest): Promise<void> {
  const { ok } = request.kind === "migrate" ? await stage.migrate(request) : await stage.collect(request);
  expect(ok).toBe(true);
}

/** Runs `first`, which crashes at the step that each number says; all but the last crash are followed by a replica that takes up what was left. */
async function withCrashes(stage: StorageStage, crashes: readonly number[], first: () => Promise<void>): Promise<void> {
  const attempts = [first, ...crashes.slice(1).map(() => () => recovered(stage))];
  for (const [index, attempt] of attempts.entries()) {
    let steps = 0;
    armFailpoints(() => {
      if (++steps === crashes[index]) throw new SimulatedCrash();
    });
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
    } finally {
      armFailpoints(undefined);
    }
  }
}

/** I11. */
async function recovered(stage: StorageStage): Promise<void> {
  for (const { ok } of await stage.recover()) expect(ok).toBe(true);
}

/** I12: as after one that was never killed. */
async function assertMigrated(stage: StorageStage, target: string): Promise<void> {
  expect(await getActiveStore(stage.db.query)).toBe(target);
  for (const { store } of await listBlobEntries(stage.db.query)) expect(store).toBe(target);
}

/** I3, I4: what the index names is whole where it says, and it names all that a kept generation or the host needs. */
async function assertReach(stage: StorageStage, { blobs, hostAt }: History): Promise<void> {
  const rows = new Map((await listBlobEntries(stage.db.query)).map(({ key, store }) => [key, store]));
  for (const [key, store] of rows) {
    const bytes = await wholeCopy(stage.stores[store]!, key);
    expect(bytes && Buffer.compare(bytes, blobs.get(key)!)).toBe(0);
  }
  const [current, ...older] = await listGenerations(stage.db.query, defaultEnvironment);
  const kept = [current, older[0], ...older.filter(({ number }) => number === hostAt)];
  for (const generation of kept) {
    if (generation === undefined) continue;
    expect(generation.available).toBe(true);
    for (const key of await listManifestBlobs(stage.db.query, generation.lockfileHash)) expect(rows.has(key)).toBe(true);
  }
}

/** I13. */
async function assertTidiesUp(stage: StorageStage): Promise<void> {
  await recovered(stage);
  expect(await stage.collect({ graceMs: 0 })).toMatchObject({ ok: true, result: { failed: 0 } });
  const rows = await listBlobEntries(stage.db.query);
  for (const name of stores) {
    const recorded = rows.filter(({ store }) => store === name).map(({ key }) => key);
    expect(await stage.stores[name]!.keys()).toEqual(recorded.sort());
  }
}

async function indexOf({ db: { query }, stores: opened }: StorageStage): Promise<string> {
  const tables = ["blobs", "stray_blobs", "manifests", "blob_quarantine"];
  const rows = [];
  for (const table of tables) rows.push(JSON.stringify(await query.execute(sql.raw(`select * from ${table} order by 1, 2`))));
  const recorded = new Map((await listBlobEntries(query)).map(({ key, store }) => [key, store]));
  for (const [name, store] of Object.entries(opened)) {
    rows.push(...(await store.keys()).filter((key) => recorded.get(key) === name));
  }
  return [...rows, await getActiveStore(query)].join("\n");
}

async function clear(): Promise<void> {
  for (const table of [
    "generations",
    "manifests",
    "blobs",
    "stray_blobs",
    "blob_quarantine",
    "hosts",
    "operations",
    "desired_states",
  ]) {
    await db.query.execute(sql.raw(`delete from ${table}`));
  }
  await db.query.execute(sql.raw("update environments set generation_counter = 0"));
}
