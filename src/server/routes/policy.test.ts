import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type FixtureRegistry, openFixtureRegistry } from "../../../test/harness/fixture-registry.ts";
import { until } from "../../../test/harness/until.ts";
import { defaultPolicy, type ExactVersion, type InstallResult, type PackageName } from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

const environment = "default";
const n = (text: string) => text as PackageName;
const v = (text: string) => text as ExactVersion;
const hourAgo = new Date(Date.now() - 3_600_000).toISOString();

let registry: FixtureRegistry;
let server: TestServer;
beforeAll(async () => {
  registry = await openFixtureRegistry([
    { name: "leaf", version: "1.2.2" },
    { name: "leaf", version: "1.2.3" },
    { name: "leaf", version: "1.2.4", publishedAt: hourAgo },
    { name: "app", version: "1.0.0", dependencies: { leaf: "^1.2.0" } },
    { name: "exact", version: "1.0.0", dependencies: { leaf: "1.2.3" } },
    { name: "fresh", version: "1.0.0", publishedAt: hourAgo },
  ]);
  server = await openTestServer({ registry: new URL(registry.url) });
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

/** The rows that `change` leaves in the audit log. */
async function audited(change: () => Promise<unknown>) {
  const before = await listAudit(server.context.db.query);
  await change();
  const after = await listAudit(server.context.db.query);
  return after.filter(({ id }) => !before.some((row) => row.id === id));
}

async function installed(id: string): Promise<InstallResult> {
  return await until(
    "the install ends",
    async () => {
      const operation = await server.admin.operations.get({ id });
      if (operation.kind === "install" && operation.state === "succeeded" && operation.result) return operation.result;
      throw new Error(JSON.stringify(operation));
    },
    { timeoutMs: 60_000, everyMs: 100 },
  );
}

describe("the policy", () => {
  test("is the default until somebody changes it; a change is one audit row, and leaves the rest", async () => {
    expect(await server.admin.policy.get({ environment })).toEqual({ environment: environment as never, policy: defaultPolicy });
    const rows = await audited(() =>
      server.admin.policy.set({ environment, change: { deprecated: "refuse", caps: { nodes: { warn: 5, block: null } } } }),
    );
    expect(rows).toMatchObject([{ action: "policy.set", target: environment, details: { change: { deprecated: "refuse" } } }]);
    const { policy, updatedBy } = await server.admin.policy.get({ environment });
    expect(policy).toEqual({
      ...defaultPolicy,
      deprecated: "refuse",
      caps: { ...defaultPolicy.caps, nodes: { warn: 5, block: null } },
    });
    expect(updatedBy).toBeDefined();
    await server.admin.policy.set({ environment, change: {}, reset: true });
    expect((await server.admin.policy.get({ environment })).policy).toEqual(defaultPolicy);
  });

  test.each([
    [{ blocked: [{ name: n("leaf"), range: "not a range" }] }, "blocked: leaf"],
    [{ extensions: [{ name: n("leaf"), dependencies: { [n("app")]: "git+ssh://x" } }] }, "extensions: leaf: app"],
  ])("refuses what is no range, and says where: %j", async (change, where) => {
    const refused = await refusalOf(server.admin.policy.set({ environment, change }));
    expect(refused).toMatchObject({ code: "E_INPUT", message: expect.stringContaining(where) });
  });
});

describe("adding a package", () => {
  test("without a version pins the newest that policy allows, and says what it chose and why", async () => {
    const [entry] = await server.admin.packages.add({ environment, packages: [{ name: n("leaf") }] });
    expect(entry).toMatchObject({
      version: "1.2.3",
      choice: { latest: "1.2.4", passedOver: [{ version: "1.2.4", rule: "release-age" }] },
    });
    expect(entry?.choice?.why).toContain("leaf@1.2.4 was published 1 h ago");
    await server.admin.packages.remove({ environment, name: n("leaf") });
  });

  test("at a version that policy refuses is refused, naming the rule and the waiver that lets it in", async () => {
    for (const packages of [[{ name: n("fresh"), version: v("1.0.0") }], [{ name: n("fresh") }]]) {
      const refused = await refusalOf(server.admin.packages.add({ environment, packages }));
      expect(refused).toMatchObject({ code: "E_POLICY", details: { rule: "release-age", package: "fresh@1.0.0" } });
      expect(refused.hint).toContain("larder waivers add fresh@1.0.0 --rule release-age");
    }
  });

  test("is allowed under a waiver, which is one audit row with its reason; and no longer when it has ended", async () => {
    const waiver = {
      rule: "release-age" as const,
      name: n("fresh"),
      range: "1.0.0",
      reason: "ours, read it",
      expiresInMs: 3_600_000,
    };
    let id = "";
    const rows = await audited(async () => {
      ({ id } = await server.admin.waivers.add({ environment, waiver }));
    });
    expect(rows).toMatchObject([
      { action: "waiver.add", target: environment, details: { id, reason: "ours, read it", rule: "release-age" } },
    ]);
    expect(await server.admin.waivers.list({ environment })).toMatchObject([{ id, expired: false, name: "fresh" }]);
    const packages = [{ name: n("fresh"), version: v("1.0.0") }];
    expect(await server.admin.packages.add({ environment, packages })).toMatchObject([{ version: "1.0.0" }]);
    await server.admin.packages.remove({ environment, name: n("fresh") });
    expect(await audited(() => server.admin.waivers.remove({ environment, id }))).toMatchObject([{ action: "waiver.remove" }]);
    expect(await refusalOf(server.admin.packages.add({ environment, packages }))).toMatchObject({ code: "E_POLICY" });
  });

  test("under a waiver that has expired is refused again", async () => {
    const waiver = { rule: "release-age" as const, name: n("fresh"), reason: "for a moment", expiresInMs: 1 };
    await server.admin.waivers.add({ environment, waiver });
    await until("it has expired", async () => (await server.admin.waivers.list({ environment }))[0]?.expired);
    expect(await refusalOf(server.admin.packages.add({ environment, packages: [{ name: n("fresh") }] }))).toMatchObject({
      code: "E_POLICY",
    });
  });
});

test.each([
  [{ rule: "release-age" as const, reason: "x" }],
  [{ rule: "release-age" as const, registry: "r.test", reason: "x" }],
  [{ rule: "release-age" as const, name: n("a"), registry: "r.test", reason: "x" }],
  [{ rule: "release-age" as const, name: n("a"), reason: " " }],
  [{ rule: "exotic" as "blocked", name: n("a"), reason: "x" }],
])("a waiver that makes no sense is refused: %j", async (waiver) => {
  expect(await refusalOf(server.admin.waivers.add({ environment, waiver }))).toMatchObject({ code: "E_INPUT" });
});

describe("a plan with edits that are only imagined", () => {
  test("says what they would do, and changes nothing", async () => {
    const rows = await audited(async () => {
      const made = await server.admin.plans.create({ environment, changes: { add: [{ name: n("app") }] } });
      expect(made).toMatchObject({ ok: true, choices: [{ name: "app", version: "1.0.0" }], nodes: 2 });
      expect(made.heldBack).toMatchObject([{ name: "leaf", chosen: "1.2.3" }]);
    });
    expect(rows).toEqual([]);
    expect((await server.admin.packages.list({ environment })).packages).toEqual([]);
  });

  test("of what is not on the allowlist says so", async () => {
    const refused = await refusalOf(server.admin.plans.create({ environment, changes: { remove: [n("nowhere")] } }));
    expect(refused).toMatchObject({ code: "E_NOT_FOUND", message: expect.stringContaining("nowhere") });
  });
});

describe("a test of a change of policy", () => {
  test("lists what it would refuse today, and what an install would do", async () => {
    await server.admin.packages.add({ environment, packages: [{ name: n("app"), version: v("1.0.0") }] });
    await installed((await server.admin.installs.start({ environment })).operation.id);
    const tested = await server.admin.policy.test({ environment, change: { blocked: [{ name: n("leaf"), range: "1.2.3" }] } });
    expect(tested.refused).toMatchObject([
      { name: "leaf", version: "1.2.3", rule: "blocked", already: false, path: ["app@1.0.0", "leaf@1.2.3"] },
    ]);
    expect(tested.plan).toMatchObject({ ok: true, changes: [{ name: "leaf", from: ["1.2.3"], to: ["1.2.2"] }] });
    expect((await server.admin.policy.get({ environment })).policy.blocked).toEqual([]);
  });
});

describe("revoking a version", () => {
  test("says first what it would do: what can goes around it, what cannot is disabled", async () => {
    await server.admin.packages.add({
      environment,
      packages: [
        { name: n("exact"), version: v("1.0.0") },
        { name: n("leaf"), version: v("1.2.3") },
      ],
    });
    await installed((await server.admin.installs.start({ environment })).operation.id);
    const effects = await server.admin.revocations.plan({ name: n("leaf"), version: v("1.2.3") });
    expect(effects).toMatchObject([
      {
        environment,
        holds: true,
        repin: [{ name: "leaf", from: "1.2.3", to: "1.2.2" }],
        disable: [{ name: "exact", version: "1.0.0" }],
      },
    ]);
  });

  test("blocks it everywhere in one audit row, and makes a generation without it; nothing brings it back", async () => {
    const { generation } = await server.admin.status.get({ environment });
    let install = "";
    const rows = await audited(async () => {
      const { installs } = await server.admin.revocations.add({ name: n("leaf"), version: v("1.2.3"), reason: "stolen" });
      install = installs[0]?.id ?? "";
    });
    expect(rows).toMatchObject([{ action: "version.revoke", target: "leaf@1.2.3", details: { reason: "stolen" } }]);
    const result = await installed(install);
    expect(result.generation).toBeGreaterThan(generation);
    const { packages } = await server.admin.packages.list({ environment });
    expect(packages.map(({ name, version, enabled }) => `${name}@${version} ${enabled}`)).toEqual([
      "app@1.0.0 true",
      "exact@1.0.0 false",
      "leaf@1.2.2 true",
    ]);
    const again = await refusalOf(
      server.admin.packages.add({ environment, packages: [{ name: n("leaf"), version: v("1.2.3") }] }),
    );
    expect(again).toMatchObject({ code: "E_POLICY", details: { rule: "revoked" } });
    const back = await refusalOf(server.admin.generations.rollback({ environment, number: generation }));
    expect(back).toMatchObject({ code: "E_POLICY", message: expect.stringContaining("leaf@1.2.3") });
    expect(await refusalOf(server.admin.revocations.add({ name: n("leaf"), version: v("1.2.3") }))).toMatchObject({
      code: "E_CONFLICT",
    });
  });

  test("can be taken back, in one audit row", async () => {
    const rows = await audited(() => server.admin.revocations.remove({ name: n("leaf"), version: v("1.2.3") }));
    expect(rows).toMatchObject([{ action: "version.reinstate", target: "leaf@1.2.3" }]);
    expect(await server.admin.revocations.list()).toEqual([]);
    expect(await refusalOf(server.admin.revocations.remove({ name: n("leaf"), version: v("1.2.3") }))).toMatchObject({
      code: "E_NOT_FOUND",
    });
  });
});
