import { afterEach, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import type { FixturePackage } from "../../../test/harness/fixture-package.ts";
import { type InstallStage, openInstallStage } from "../../../test/harness/install-stage.ts";
import { until } from "../../../test/harness/until.ts";
import { defaultEnvironment, LarderError } from "../../contract/index.ts";
import { type Db, getDesiredState, listBlobEntries, listGenerations, quarantineBlob } from "../../db/index.ts";
import { armFailpoints } from "../../lib/index.ts";
import type { RegistryClient } from "../../npm/index.ts";

let stage: InstallStage;
afterEach(async () => {
  armFailpoints(undefined);
  try {
    expect(await stage.scratch()).toEqual([]);
  } finally {
    await stage[Symbol.asyncDispose]();
  }
});

/** `app` needs `lib`, and `extra` where it can be had. */
const packages: FixturePackage[] = [
  { name: "app", version: "1.0.0", dependencies: { lib: "^1.0.0" }, optionalDependencies: { extra: "^1.0.0" } },
  { name: "lib", version: "1.0.0" },
  { name: "extra", version: "1.0.0" },
  { name: "@corp/utils", version: "2.0.0", dependencies: { lib: "^1.0.0" } },
];

const generations = () => listGenerations(stage.db.query, defaultEnvironment);

/** What a failed install may leave: nothing that hosts see. */
async function expectNothingCommitted(): Promise<void> {
  expect(await generations()).toEqual([]);
  expect(await getDesiredState(stage.db.query, defaultEnvironment)).toBeUndefined();
}

test("bytes that are not those of the SHA-1 are refused by name, and nothing is stored", async () => {
  stage = await openInstallStage([{ name: "ancient", version: "1.0.0", sha1Only: true }]);
  await stage.allow("ancient@1.0.0");
  stage.registry.fault(({ kind }) => (kind === "tarball" ? { kind: "wrongBytes" } : undefined));
  const outcome = await stage.install();
  expect(outcome).toMatchObject({ ok: false, error: { code: "E_INTEGRITY" } });
  expect(!outcome.ok && outcome.error.message).toContain("ancient@1.0.0");
  await expectNothingCommitted();
  expect(await listBlobEntries(stage.db.query)).toEqual([]);
});

test("a tarball that holds another package is refused by name", async () => {
  stage = await openInstallStage([{ name: "app", version: "1.0.0", packageJson: { name: "impostor" } }]);
  await stage.allow("app@1.0.0");
  const outcome = await stage.install();
  expect(outcome).toMatchObject({ ok: false, error: { code: "E_TARBALL_IDENTITY" } });
  expect(!outcome.ok && outcome.error.message).toContain("app@1.0.0");
  await expectNothingCommitted();
});

test("an allowlist that never stands still ends as a conflict, after five attempts and with no generation", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  let edits = 0;
  armFailpoints(async (name) => {
    if (name === "install:resolved") await (edits++ % 2 === 0 ? stage.allow("lib@1.0.0") : stage.disallow("lib"));
  });
  expect(await stage.install()).toMatchObject({ ok: false, error: { code: "E_CONFLICT", retryable: true } });
  expect(edits).toBe(5);
  await expectNothingCommitted();
});

/** What an install writes before its commit. */
async function durableRows(): Promise<unknown> {
  const count = sql`select (select count(*) from blobs) as blobs, (select count(*) from manifests) as manifests`;
  return ((await stage.db.query.execute(count)) as unknown as { rows: unknown[] }).rows[0];
}

// Each is the last moment before a durable write of its own.
test.each([
  "install:planned",
  "install:resolved",
  "install:before-put",
  "install:after-put",
  "install:fetched",
  "install:published",
])("a replica that lost the election at %s changes nothing more that lasts (I5)", async (step) => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  const rows: unknown[] = [];
  armFailpoints(async (name) => {
    if (name !== step || rows.length > 0) return;
    rows.push({});
    await stage.election[Symbol.asyncDispose]();
    await stage.db.elect();
    rows[0] = await durableRows();
  });
  expect(await stage.install()).toMatchObject({ ok: false, error: { code: "E_FENCED" } });
  expect(rows).toEqual([await durableRows()]);
  await expectNothingCommitted();
});

test("a cancelled install ends with the reason, and nothing is committed", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  const cancel = new AbortController();
  stage.registry.fault(({ kind }) => {
    if (kind === "tarball") cancel.abort(new LarderError("E_CANCELLED", "The operation was cancelled."));
    return undefined;
  });
  expect(await stage.install({ signal: cancel.signal })).toMatchObject({ ok: false, error: { code: "E_CANCELLED" } });
  await expectNothingCommitted();
  stage.registry.heal();
  expect(await stage.installed()).toMatchObject({ generation: 1 });
});

test("what is declared to be too large is refused before a byte of it is fetched, and the largest is named", async () => {
  stage = await openInstallStage(packages);
  stage.registry.add({ name: "huge", version: "1.0.0", packageJson: {}, files: { "index.js": "" } });
  stage.registry.get("huge", "1.0.0").dist.unpackedSize = 9 * 2 ** 30;
  await stage.allow("huge@1.0.0", "lib@1.0.0");
  const outcome = await stage.install();
  expect(outcome).toMatchObject({ ok: false, error: { code: "E_TOO_LARGE" } });
  expect(!outcome.ok && outcome.error.hint).toContain("huge@1.0.0");
  expect(stage.registry.requests.filter(({ kind }) => kind === "tarball")).toEqual([]);
  await expectNothingCommitted();
});

test("the retry of an install that failed fetches only what is missing", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0", "@corp/utils@2.0.0");
  const client = stage.client();
  const registry: RegistryClient = {
    ...client,
    async tarball(url, options) {
      if (!options.label.startsWith("lib@")) return client.tarball(url, options);
      await until("the others are stored", async () => (await listBlobEntries(stage.db.query)).length === 3);
      return client.tarball(url, options);
    },
  };
  stage.registry.fault(({ kind, name }) => (kind === "tarball" && name === "lib" ? { kind: "status", status: 403 } : undefined));
  const outcome = await stage.install({ registry });
  expect(outcome).toMatchObject({ ok: false, error: { code: "E_REGISTRY_AUTH" } });
  expect(!outcome.ok && outcome.error.message).toContain("lib@1.0.0");
  await expectNothingCommitted();

  stage.registry.heal();
  const before = stage.registry.requests.length;
  expect(await stage.installed()).toMatchObject({ generation: 1, fetched: 1, blobs: 4 });
  const fetched = stage.registry.requests.slice(before).filter(({ kind }) => kind === "tarball");
  expect(fetched.map(({ name }) => name)).toEqual(["lib"]);
});

test("a copy that is found bad or lost while the install resolves is fetched again", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  await stage.installed();
  const [bad, lost] = await listBlobEntries(stage.db.query);
  await stage.allow("@corp/utils@2.0.0");
  armFailpoints(async (name) => {
    if (name !== "install:planned") return;
    await stage.blobs.delete(lost!.key);
  });
  expect(await stage.installed()).toMatchObject({ generation: 2, fetched: 2 });
  armFailpoints(async (name) => {
    if (name !== "install:resolved") return;
    await quarantineBlob(stage.db.query, { key: bad!.key, store: bad!.store, reason: "corrupt" });
  });
  expect(await stage.installed()).toMatchObject({ fetched: 1 });
  armFailpoints(undefined);
  expect(await stage.installed()).toMatchObject({ fetched: 0 });
});

const connectionLost = () => new LarderError("E_STORE_UNAVAILABLE", "The database does not answer (08006).", { retryable: true });

/** Its transactions are real; `lost` decides which of them commit without the caller ever hearing of it. */
function losingAnswers(db: Db, lost: () => boolean): Db {
  return {
    ...db,
    async transaction(fn) {
      const value = await db.transaction(fn);
      if (lost()) throw connectionLost();
      return value;
    },
  };
}

test("when the answer to the commit is lost, the outcome is read again: exactly one generation", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  let committing = false;
  armFailpoints((name) => {
    if (name === "install:before-commit") committing = true;
  });
  const db = losingAnswers(stage.db, () => committing);
  expect(await stage.installed({ db })).toMatchObject({ generation: 1, changed: true });
  expect((await generations()).length).toBe(1);
  expect(await stage.installed()).toMatchObject({ generation: 1, changed: false });
});

test("when the connection is lost before the commit, the install fails and the next one makes the one generation", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  armFailpoints((name) => {
    if (name === "install:before-commit") throw connectionLost();
  });
  expect(await stage.install()).toMatchObject({ ok: false, error: { code: "E_STORE_UNAVAILABLE" } });
  await expectNothingCommitted();
  armFailpoints(undefined);
  expect(await stage.installed()).toMatchObject({ generation: 1, changed: true, fetched: 0 });
});

test("what a killed install left in scratch is gone with the next", async () => {
  stage = await openInstallStage(packages);
  await mkdir(join(stage.directory, "scratch", "op-killed", "resolve"), { recursive: true });
  await stage.installed();
  expect(await stage.scratch()).toEqual([]);
});
