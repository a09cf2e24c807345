import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type InstallStage, openInstallStage } from "../../../test/harness/install-stage.ts";
import { defaultEnvironment, type ExactVersion, type PackageName, type Plan, parseManifest } from "../../contract/index.ts";
import { currentGeneration, getManifest, getPolicy, insertRevocation, insertWaiver, putPolicy } from "../../db/index.ts";
import { createPackumentCache } from "../../gateway/index.ts";
import { detectPlatform } from "../../host/index.ts";
import { silentLogger } from "../../lib/index.ts";
import { createPlanner, type PlanRequest } from "./planner.ts";

const hourAgo = () => new Date(Date.now() - 3_600_000).toISOString();
const n = (text: string) => text as PackageName;
const v = (text: string) => text as ExactVersion;

let stage: InstallStage;
beforeAll(async () => {
  stage = await openInstallStage([
    { name: "app", version: "1.0.0", dependencies: { leaf: "^1.2.0" } },
    { name: "leaf", version: "1.2.3" },
    // The compromised release: a patch of an hour ago that brings a dependency and a script.
    {
      name: "leaf",
      version: "1.2.4",
      publishedAt: hourAgo(),
      dependencies: { dropper: "^1.0.0" },
      scripts: { postinstall: "node steal.js" },
    },
    { name: "dropper", version: "1.0.0" },
    { name: "tool", version: "1.0.0", dependencies: { mid: "1.0.0" } },
    { name: "mid", version: "1.0.0", dependencies: { leaf: "1.2.4" } },
    { name: "old", version: "1.0.0", deprecated: "use leaf" },
    { name: "careless", version: "1.0.0" },
    { name: "careless", version: "2.0.0" },
  ]);
}, 60_000);
afterAll(() => stage[Symbol.asyncDispose]());

const plan = (request: Partial<PlanRequest> = {}): Promise<Plan> =>
  createPlanner({
    db: stage.db,
    registry: stage.client(),
    cache: createPackumentCache(),
    logger: silentLogger,
    bunPath: process.execPath,
    platforms: [detectPlatform()],
    scratchDirectory: `${stage.directory}/plans`,
  }).plan({ environment: defaultEnvironment, signal: AbortSignal.timeout(60_000), ...request });

async function installedVersions(): Promise<string[]> {
  const current = await currentGeneration(stage.db.query, defaultEnvironment);
  const stored = current && (await getManifest(stage.db.query, current.lockfileHash));
  const nodes = Object.values(parseManifest(stored?.body ?? "").nodes);
  return nodes.map(({ name, version }) => `${name}@${version}`).sort();
}

const changePolicy = async (change: object) => {
  const { policy } = await getPolicy(stage.db.query, defaultEnvironment);
  await stage.db.transaction((tx) => putPolicy(tx, defaultEnvironment, { policy: { ...policy, ...change }, updatedBy: "ada" }));
};

describe("a compromised release: a patch of an hour ago, with a new dependency and an install script", () => {
  test("is not chosen, and the plan says why; nothing was written", async () => {
    await stage.allow("app@1.0.0");
    const made = await plan();
    expect(made).toMatchObject({ ok: true, changed: true, currentGeneration: 0, nodes: 2, refusals: [], waived: [] });
    expect(made.changes.map(({ name, to, newTransitive }) => ({ name, to, newTransitive }) as object)).toEqual([
      { name: "app", to: ["1.0.0"], newTransitive: false },
      { name: "leaf", to: ["1.2.3"], newTransitive: true },
    ]);
    expect(made.heldBack).toMatchObject([
      { name: "leaf", chosen: "1.2.3", finding: { version: "1.2.4", rule: "release-age", path: ["app@1.0.0", "leaf@1.2.4"] } },
    ]);
    expect(made.fetch.tarballs).toBe(2);
    expect(await currentGeneration(stage.db.query, defaultEnvironment)).toBeUndefined();
  });

  test("is refused with its path where nothing else suits; the plan and the install say the same", async () => {
    await stage.allow("tool@1.0.0");
    const made = await plan();
    expect(made).toMatchObject({ ok: false, error: { code: "E_POLICY" }, refusals: [{ name: "leaf", rule: "release-age" }] });
    expect(made.refusals[0]?.path).toEqual(["tool@1.0.0", "mid@1.0.0", "leaf@1.2.4"]);
    expect(made.error?.message).toContain("tool@1.0.0 → mid@1.0.0");
    expect(made.error?.hint).toContain("larder waivers add leaf@1.2.4 --rule release-age");
    const outcome = await stage.install();
    expect(outcome).toMatchObject({ ok: false, error: { code: "E_POLICY" } });
    await stage.disallow("tool");
  });

  test("does not come in with an install either", async () => {
    const { warnings } = await stage.installed();
    expect(warnings).toBeUndefined();
    expect(await installedVersions()).toEqual(["app@1.0.0", "leaf@1.2.3"]);
  });

  test("comes in where a waiver says so, and the plan shows by which", async () => {
    const waiver = await stage.db.transaction((tx) =>
      insertWaiver(tx, {
        id: "let-leaf-in",
        environment: defaultEnvironment,
        rule: "release-age",
        name: n("leaf"),
        range: "1.2.4",
        reason: "read it",
        createdBy: "ada",
      }),
    );
    const made = await plan({ changes: { add: [{ name: n("tool"), version: v("1.0.0") }] } });
    expect(made.ok).toBe(true);
    expect(made.waived).toMatchObject([{ name: "leaf", version: "1.2.4", rule: "release-age", waiver: waiver.id }]);
    expect(made.changes.find(({ name }) => name === "dropper")).toMatchObject({ newTransitive: true });
    expect(made.flags).toMatchObject([{ name: "leaf", version: "1.2.4", rule: "install-scripts" }]);
    await stage.allow("tool@1.0.0");
    const { warnings } = await stage.installed();
    expect(warnings?.join()).toContain("leaf@1.2.4 has a script");
    expect(await installedVersions()).toContain("leaf@1.2.4");
  });

  test("goes again when it is revoked: what has no other way is refused, what has goes on without it", async () => {
    await stage.db.transaction((tx) => insertRevocation(tx, { name: n("leaf"), version: v("1.2.4"), revokedBy: "ada" }));
    const stuck = await plan();
    expect(stuck).toMatchObject({ ok: false, error: { code: "E_POLICY", details: { rule: "revoked" } } });
    await stage.disallow("tool");
    const made = await plan();
    expect(made).toMatchObject({ ok: true });
    await stage.installed();
    expect(await installedVersions()).toEqual(["app@1.0.0", "leaf@1.2.3"]);
  });
});

test("a lock does not hold what policy refuses now, and holds the rest", async () => {
  stage.registry.add({ name: "leaf", version: "1.2.2" }, { name: "careless", version: "1.1.0" });
  await stage.allow("careless@1.0.0");
  await stage.installed();
  await changePolicy({ blocked: [{ name: n("leaf"), range: "1.2.3" }] });
  await stage.installed();
  expect(await installedVersions()).toEqual(["app@1.0.0", "careless@1.0.0", "leaf@1.2.2"]);
  await changePolicy({ blocked: [] });
});

test("a deprecation that came after the install is seen when the policy refuses such versions", async () => {
  await stage.allow("old@1.0.0");
  const { warnings } = await stage.installed();
  expect(warnings?.join()).toContain("old@1.0.0 is deprecated: use leaf");
  await changePolicy({ deprecated: "refuse" });
  expect(await stage.install()).toMatchObject({ ok: false, error: { code: "E_POLICY", details: { rule: "deprecated" } } });
  await changePolicy({ deprecated: "flag" });
  await stage.disallow("old");
});

describe("an undeclared dependency of the environment's own list", () => {
  const extension = { name: n("careless"), range: "*", dependencies: { [n("dropper")]: "^1.0.0" }, peerDependencies: {} };

  test("is added to a version that the lock held, and the plan shows it", async () => {
    await stage.installed();
    await changePolicy({ extensions: [extension] });
    const made = await plan();
    expect(made.addedDependencies).toMatchObject([
      { name: "careless", version: "1.0.0", dependency: "dropper", range: "^1.0.0", kind: "dependency", source: "policy" },
    ]);
    await stage.installed();
    expect(await installedVersions()).toContain("dropper@1.0.0");
    // The same again is the same graph.
    expect(await plan()).toMatchObject({ changed: false, addedDependencies: [{ dependency: "dropper" }] });
  });

  test("goes when it is taken off the list", async () => {
    await changePolicy({ extensions: [] });
    await stage.installed();
    expect(await installedVersions()).not.toContain("dropper@1.0.0");
  });
});

describe("caps", () => {
  test("refuse by declared sizes before anything is fetched", async () => {
    const { policy } = await getPolicy(stage.db.query, defaultEnvironment);
    stage.registry.add({ name: "huge", version: "1.0.0", unpackedSize: 20_000_000_000 });
    await stage.allow("huge@1.0.0");
    const before = stage.registry.requests.length;
    expect(await stage.install()).toMatchObject({ ok: false, error: { code: "E_TOO_LARGE", details: { cap: "unpackedBytes" } } });
    expect(stage.registry.requests.slice(before).filter(({ kind }) => kind === "tarball")).toEqual([]);
    const made = await plan({ policy: { ...policy, caps: { ...policy.caps, nodes: { warn: 1, block: null } } } });
    expect(made).toMatchObject({ ok: false, error: { code: "E_TOO_LARGE" } });
    expect(made.caps.map(({ cap, severity }) => `${cap} ${severity}`)).toEqual([
      "packedBytes warn",
      "unpackedBytes block",
      "nodes warn",
    ]);
    await stage.disallow("huge");
  });

  test("refuse by real sizes what declared less", async () => {
    stage.registry.add({ name: "sly", version: "1.0.0", unpackedSize: 1, files: { "big.txt": "x".repeat(300_000) } });
    await stage.allow("sly@1.0.0");
    const { policy } = await getPolicy(stage.db.query, defaultEnvironment);
    await changePolicy({ caps: { ...policy.caps, unpackedBytes: { warn: null, block: 100_000 } } });
    expect(await stage.install()).toMatchObject({ ok: false, error: { code: "E_TOO_LARGE", details: { cap: "unpackedBytes" } } });
    await changePolicy({ caps: { ...policy.caps, packedBytes: { warn: null, block: 100 } } });
    expect(await stage.install()).toMatchObject({ ok: false, error: { code: "E_TOO_LARGE", details: { cap: "packedBytes" } } });
    await changePolicy({ caps: policy.caps });
    await stage.disallow("sly");
  });
});
