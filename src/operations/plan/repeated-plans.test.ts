import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readFile, rm, writeFile } from "node:fs/promises";
import { type InstallStage, openInstallStage } from "../../../test/harness/install-stage.ts";
import { defaultEnvironment, type ExactVersion, type PackageName, type Plan } from "../../contract/index.ts";
import { insertRevocation } from "../../db/index.ts";
import { createPackumentCache, type PackumentCache } from "../../gateway/index.ts";
import { detectPlatform } from "../../host/index.ts";
import { silentLogger } from "../../lib/index.ts";
import { createPlanner, type Planner } from "./planner.ts";

let stage: InstallStage;
let planner: Planner;
let cache: PackumentCache;
beforeAll(async () => {
  stage = await openInstallStage([
    {
      name: "app",
      version: "1.0.0",
      dependencies: { leaf: "^1.0.0", missing: "1.0.0" },
      optionalDependencies: { missing: "1.0.0" },
    },
    { name: "leaf", version: "1.0.0" },
    { name: "leaf", version: "1.1.0" },
    { name: "other", version: "1.0.0" },
  ]);
}, 60_000);
afterAll(() => stage[Symbol.asyncDispose]());

const starts = () => `${stage.directory}/starts`;
beforeEach(async () => {
  // The real resolver, which notes that it was started.
  const bunPath = `${stage.directory}/counted-bun`;
  await writeFile(bunPath, `#!/bin/sh\necho >> ${starts()}\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
  await rm(starts(), { force: true });
  await stage.allow("app@1.0.0");
  cache = createPackumentCache();
  planner = createPlanner({
    db: stage.db,
    registry: stage.client(),
    cache,
    logger: silentLogger,
    bunPath,
    platforms: [detectPlatform()],
    scratchDirectory: `${stage.directory}/plans`,
  });
});

const timesStarted = async (): Promise<number> => (await readFile(starts(), "utf8").catch(() => "")).length;
const plan = (changes = {}): Promise<Plan> =>
  planner.plan({ environment: defaultEnvironment, changes, signal: AbortSignal.timeout(60_000) });
const versionsIn = ({ changes }: Plan): string[] => changes.map(({ name, to }) => `${name}@${to}`);
const untimed = ({ timingsMs: _, ...plan }: Plan) => plan;

describe("a plan that is asked for again", () => {
  test("asks registries nothing that they have answered, no resolver, and says the same", async () => {
    const first = await plan();
    expect(versionsIn(first)).toEqual(["app@1.0.0", "leaf@1.1.0"]);
    const requests = stage.registry.requests.length;
    expect(untimed(await plan())).toEqual(untimed(first));
    // What a registry does not have may have come meanwhile.
    expect(stage.registry.requests.slice(requests).map(({ name }) => name)).toEqual(["missing"]);
    expect(await timesStarted()).toBe(1);
  });

  test("is resolved anew for another list, and not for the first one after that", async () => {
    const first = await plan();
    const changes = { add: [{ name: "other" as PackageName, version: "1.0.0" as ExactVersion }] };
    expect(versionsIn(await plan(changes))).toEqual(["app@1.0.0", "leaf@1.1.0", "other@1.0.0"]);
    expect(await timesStarted()).toBe(2);
    expect(untimed(await plan())).toEqual(untimed(first));
    expect(await timesStarted()).toBe(2);
  });

  test("is resolved anew when registries say something new of any package in it", async () => {
    await plan();
    stage.registry.add({ name: "leaf", version: "1.2.0" });
    cache.clear();
    expect(versionsIn(await plan())).toEqual(["app@1.0.0", "leaf@1.2.0"]);
    expect(await timesStarted()).toBe(2);
    stage.registry.remove("leaf", "1.2.0");
  });

  test("is not spared what registries refuse: trouble is told", async () => {
    await plan();
    cache.clear();
    stage.registry.fault(({ name }) => (name === "leaf" ? { kind: "status", status: 500 } : undefined));
    try {
      await expect(plan()).rejects.toMatchObject({ code: "E_REGISTRY_UNREACHABLE" });
    } finally {
      stage.registry.heal();
    }
  });

  test("is resolved anew from the next moment on when a version is revoked", async () => {
    expect(versionsIn(await plan())).toEqual(["app@1.0.0", "leaf@1.1.0"]);
    const leaf = { name: "leaf" as PackageName, version: "1.1.0" as ExactVersion };
    await stage.db.transaction((tx) => insertRevocation(tx, { ...leaf, revokedBy: "ada" }));
    expect(versionsIn(await plan())).toEqual(["app@1.0.0", "leaf@1.0.0"]);
    expect(await timesStarted()).toBe(2);
  });
});
