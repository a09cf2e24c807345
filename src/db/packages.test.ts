import { expect, test } from "bun:test";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import { type ExactVersion, type PackageName, packageEntrySchema } from "../contract/index.ts";
import { createEnvironment, getEnvironment, listEnvironments } from "./environments.ts";
import { getAllowlist, getPackage, listPackages, removePackage, setPackageEnabled, upsertPackages } from "./packages.ts";

const pin = (name: string, version: string) => ({ name: name as PackageName, version: version as ExactVersion });
const [lodash, dayjs] = [pin("lodash", "4.17.21"), pin("dayjs", "1.11.13")];

onBothDatabases("environments and packages", ({ db, environment }) => {
  test("an environment's name is taken once", async () => {
    const name = await environment();
    expect(await createEnvironment(db().query, name)).toBeUndefined();
    expect((await listEnvironments(db().query)).map((one) => one.name)).toContain(name);
    expect(await getEnvironment(db().query, name)).toMatchObject({ name, generation: 0, allowlistRevision: 0 });
    expect(await getEnvironment(db().query, "absent" as never)).toBeUndefined();
  });

  test("adding says what was added, changed and unchanged, and moves the revision once", async () => {
    const name = await environment();
    const upsert = (pins: (typeof lodash)[]) => db().transaction((tx) => upsertPackages(tx, name, { pins, addedBy: "ann" }));
    expect(await upsert([lodash, dayjs])).toMatchObject([
      { ...lodash, change: "added", enabled: true, addedBy: "ann" },
      { ...dayjs, change: "added" },
    ]);
    const newer = pin("lodash", "4.17.22");
    expect(await upsert([newer, dayjs])).toMatchObject([
      { ...newer, change: "changed", previousVersion: "4.17.21" },
      { ...dayjs, change: "unchanged" },
    ]);
    expect(await upsert([newer, dayjs])).toMatchObject([{ change: "unchanged" }, { change: "unchanged" }]);
    expect(await getAllowlist(db().query, name)).toMatchObject({ revision: 2, installDue: true, packages: [dayjs, newer] });
  });

  test("entries have the contract's form", async () => {
    const name = await environment();
    await db().transaction((tx) => upsertPackages(tx, name, { pins: [lodash], addedBy: "ann" }));
    const [entry] = await listPackages(db().query, name);
    expect(packageEntrySchema.parse(entry)).toEqual(entry as never);
  });

  test("a changed pin stays disabled", async () => {
    const name = await environment();
    await db().transaction((tx) => upsertPackages(tx, name, { pins: [lodash], addedBy: "ann" }));
    await db().transaction((tx) => setPackageEnabled(tx, name, { name: lodash.name, enabled: false }));
    const [changed] = await db().transaction((tx) =>
      upsertPackages(tx, name, { pins: [pin("lodash", "5.0.0")], addedBy: "bob" }),
    );
    expect(changed).toMatchObject({ enabled: false, addedBy: "bob" });
  });

  test("removing and enabling move the revision only when something changed", async () => {
    const name = await environment();
    await db().transaction((tx) => upsertPackages(tx, name, { pins: [lodash], addedBy: "ann" }));
    const enable = (enabled: boolean) => db().transaction((tx) => setPackageEnabled(tx, name, { name: lodash.name, enabled }));
    expect(await enable(true)).toMatchObject({ changed: false, entry: { enabled: true } });
    expect(await enable(false)).toMatchObject({ changed: true, entry: { enabled: false } });
    expect(await getAllowlist(db().query, name)).toMatchObject({ revision: 2, installDue: false });
    const remove = () => db().transaction((tx) => removePackage(tx, name, lodash.name));
    expect(await remove()).toMatchObject(lodash);
    expect(await remove()).toBeUndefined();
    expect(await enable(true)).toBeUndefined();
    expect(await getPackage(db().query, name, lodash.name)).toBeUndefined();
    expect(await getAllowlist(db().query, name)).toMatchObject({ revision: 3, packages: [], installDue: false });
  });

  test("concurrent changes are all counted", async () => {
    const name = await environment();
    const add = (index: number) =>
      db().transaction((tx) => upsertPackages(tx, name, { pins: [pin(`package-${index}`, "1.0.0")], addedBy: "ann" }));
    await Promise.all(Array.from({ length: 20 }, (_, index) => add(index)));
    const allowlist = await getAllowlist(db().query, name);
    expect(allowlist?.revision).toBe(20);
    expect(allowlist?.packages).toHaveLength(20);
  });

  test("nothing is known of an environment that does not exist", async () => {
    expect(await getAllowlist(db().query, "absent" as never)).toBeUndefined();
    expect(await listPackages(db().query, "absent" as never)).toEqual([]);
  });
});
