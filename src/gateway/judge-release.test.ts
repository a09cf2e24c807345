import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { defaultPolicy, type ExactVersion, type PackageName, type Waiver } from "../contract/index.ts";
import { createJudge, type Release } from "./judge-release.ts";
import { testNow, testRules } from "./testing/test-rules.ts";

const day = 86_400_000;
const name = "a" as PackageName;
const version = "1.2.3" as ExactVersion;
const release = (rest: Partial<Release> = {}): Release => ({
  name,
  version,
  registry: "registry.test",
  publishedAt: testNow - 100 * day,
  ...rest,
});
const waiver = (rest: Partial<Waiver>): Waiver => ({
  id: "w1",
  environment: testRules().environment,
  rule: "release-age",
  reason: "known good",
  createdBy: "ada",
  createdAt: "2026-01-01T00:00:00.000Z",
  expired: false,
  ...rest,
});
const rulesOf = (findings: { rule: string }[]) => findings.map(({ rule }) => rule);

describe("release age", () => {
  const judge = createJudge(testRules({ minReleaseAgeMs: 3 * day }));
  const refusals = (publishedAt: number | undefined) => rulesOf(judge(release({ publishedAt })).refusals);

  test("is exact at its boundary, on the clock that the rules carry", () => {
    expect(refusals(testNow - 3 * day)).toEqual([]);
    expect(refusals(testNow - 3 * day + 1)).toEqual(["release-age"]);
    expect(refusals(testNow)).toEqual(["release-age"]);
  });

  test("that is unknown, or lies ahead, is refused as such", () => {
    expect(refusals(undefined)).toEqual(["unknown-age"]);
    expect(refusals(testNow + 1)).toEqual(["unknown-age"]);
  });

  test("says that a time lies ahead, and which", () => {
    const message = judge(release({ publishedAt: testNow + 1 })).refusals[0]?.message;
    expect(message).toContain(`in the future, ${new Date(testNow + 1).toISOString()}`);
    expect(judge(release({ publishedAt: undefined })).refusals[0]?.message).toContain("does not say when");
  });

  test("of nothing lets in every age, the unknown too", () => {
    const any = createJudge(testRules({ minReleaseAgeMs: 0 }));
    expect(any(release({ publishedAt: undefined })).refusals).toEqual([]);
    expect(any(release({ publishedAt: testNow })).refusals).toEqual([]);
  });

  test("says how old it is, from when it may come in, and which command lets it in now", () => {
    const [finding] = judge(release({ publishedAt: testNow - 3_600_000 })).refusals;
    expect(finding?.message).toBe("a@1.2.3 was published 1 h ago; the policy takes nothing younger than 3 d.");
    expect(finding?.allowedAt).toBe(new Date(testNow - 3_600_000 + 3 * day).toISOString());
    expect(finding?.hint).toContain("larder waivers add a@1.2.3 --rule release-age");
  });
});

describe("the other rules", () => {
  test("allow, flag or refuse what is deprecated or has install scripts", () => {
    for (const [action, kind] of [
      ["allow", undefined],
      ["flag", "flags"],
      ["refuse", "refusals"],
    ] as const) {
      const verdict = createJudge(testRules({ deprecated: action, installScripts: action }))(
        release({ deprecated: "use b", hasInstallScript: true }),
      );
      for (const list of ["flags", "refusals"] as const) {
        expect(rulesOf(verdict[list])).toEqual(list === kind ? ["deprecated", "install-scripts"] : []);
      }
    }
  });

  test("refuse blocked ranges, pre-releases in them too, and revoked versions", () => {
    const rules = testRules(
      { blocked: [{ name, range: ">=1.2.0 <2.0.0", reason: "broken" }] },
      { revocations: [{ name, version: "3.0.0" as ExactVersion, reason: "stolen" }] },
    );
    const judge = createJudge(rules);
    const of = (text: string) => rulesOf(judge(release({ version: text as ExactVersion })).refusals);
    expect(of("1.2.3")).toEqual(["blocked"]);
    expect(of("1.3.0-rc.1")).toEqual(["blocked"]);
    expect(of("2.0.0")).toEqual([]);
    expect(of("3.0.0")).toEqual(["revoked"]);
    expect(createJudge(rules)(release({ name: "b" as PackageName })).refusals).toEqual([]);
  });

  test("refuse what leads out of the registry, whatever is waived", () => {
    const rules = testRules({}, { waivers: [waiver({ name, rule: "blocked" })] });
    const exotic = { alias: "x", specifier: "git+ssh://git@example.org/x.git" };
    expect(rulesOf(createJudge(rules)(release({ exotic })).refusals)).toEqual(["exotic"]);
  });
});

describe("waivers", () => {
  const young = release({ publishedAt: testNow - 1 });
  const judged = (waivers: Waiver[], subject = young) => createJudge(testRules(defaultPolicy, { waivers }))(subject);

  test("lift their rule from their versions, and are named", () => {
    const { refusals, waived } = judged([waiver({ name, range: "1.2.3" })]);
    expect(refusals).toEqual([]);
    expect(waived).toMatchObject([{ rule: "release-age", waiver: "w1" }]);
  });

  test("of another rule, name or range lift nothing", () => {
    for (const other of [{ name, rule: "deprecated" as const }, { name: "b" as PackageName }, { name, range: "<1.2.3" }]) {
      expect(rulesOf(judged([waiver(other)]).refusals)).toEqual(["release-age"]);
    }
  });

  test("of a registry lift unknown ages of that registry only", () => {
    const unknown = release({ publishedAt: undefined });
    const ofRegistry = (registry: string) => waiver({ rule: "unknown-age", registry });
    expect(judged([ofRegistry("registry.test")], unknown).refusals).toEqual([]);
    expect(rulesOf(judged([ofRegistry("other.test")], unknown).refusals)).toEqual(["unknown-age"]);
    expect(rulesOf(judged([ofRegistry("registry.test")], young).refusals)).toEqual(["release-age"]);
  });
});

test("any release: each waiver moves refusals of its rule to what is waived, and changes nothing else", () => {
  const releases = fc.record({
    publishedAt: fc.option(fc.integer({ min: testNow - 10 * day, max: testNow + day }), { nil: undefined }),
    deprecated: fc.option(fc.constant("old"), { nil: undefined }),
    hasInstallScript: fc.boolean(),
  });
  const policies = fc.record({
    minReleaseAgeMs: fc.integer({ min: 0, max: 9 * day }),
    deprecated: fc.constantFrom("allow" as const, "flag" as const, "refuse" as const),
    installScripts: fc.constantFrom("allow" as const, "flag" as const, "refuse" as const),
    blocked: fc.boolean().map((all) => (all ? [{ name, range: "*" }] : [])),
  });
  const rules = fc.subarray(["release-age", "unknown-age", "deprecated", "install-scripts", "blocked"] as const);
  fc.assert(
    fc.property(releases, policies, rules, (facts, policy, waivedRules) => {
      const bare = createJudge(testRules(policy))(release(facts));
      const waivers = waivedRules.map((rule) => waiver({ id: rule, name, rule }));
      const lifted = createJudge(testRules(policy, { waivers }))(release(facts));
      const isWaived = ({ rule }: { rule: string }) => (waivedRules as string[]).includes(rule);
      expect(lifted.refusals).toEqual(bare.refusals.filter((finding) => !isWaived(finding)));
      expect(lifted.waived.map(({ waiver: _, ...finding }) => finding)).toEqual(bare.refusals.filter(isWaived));
      expect(lifted.flags).toEqual(bare.flags);
    }),
  );
});
