import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PackageName } from "../contract/index.ts";
import type { Packument } from "../npm/index.ts";
import { chooseVersion } from "./choose-version.ts";
import { createRuleset } from "./ruleset.ts";
import { servePackument } from "./served-packument.ts";
import { testNow, testRules } from "./testing/test-rules.ts";

const name = "a" as PackageName;
const day = 86_400_000;

function serve(ages: Record<string, number>, latest?: string) {
  const versions = Object.keys(ages);
  const packument = {
    name,
    "dist-tags": latest === undefined ? {} : { latest },
    versions: Object.fromEntries(
      versions.map((version) => [version, { name, version, dist: { tarball: "https://r.test/a.tgz" } }]),
    ),
    time: Object.fromEntries(versions.map((version) => [version, new Date(testNow - (ages[version] ?? 0)).toISOString()])),
  } as unknown as Packument;
  return servePackument(packument, "r.test", createRuleset(testRules({ minReleaseAgeMs: 3 * day })));
}

describe("the version that is pinned where none was asked for", () => {
  test("is the registry's latest when policy allows it", () => {
    expect(chooseVersion(serve({ "1.0.0": 9 * day, "2.0.0": 8 * day, "3.0.0": 7 * day }, "2.0.0"))).toMatchObject({
      version: "2.0.0",
      why: "It is the registry's latest.",
      passedOver: [],
    });
  });

  test("is in the range that was asked for: the newest release in it that policy allows", () => {
    const served = serve(
      { "1.0.0": 9 * day, "1.2.0": 9 * day, "1.3.0-rc.1": 9 * day, "1.3.0": 3_600_000, "2.0.0": 8 * day },
      "2.0.0",
    );
    expect(chooseVersion(served, "^1.0.0")).toMatchObject({
      version: "1.2.0",
      latest: "2.0.0",
      passedOver: [{ version: "1.3.0", rule: "release-age" }],
    });
    expect(chooseVersion(served, "^3.0.0")).toBeUndefined();
    expect(chooseVersion(served, ">=1")).toMatchObject({ version: "2.0.0", why: "It is the registry's latest." });
  });

  test("is the newest older release otherwise, and says what was passed over and why", () => {
    const choice = chooseVersion(serve({ "1.0.0": 9 * day, "1.1.0-rc.1": 9 * day, "1.1.0": 3_600_000 }, "1.1.0"));
    expect(choice).toMatchObject({ version: "1.0.0", latest: "1.1.0" });
    expect(choice?.why).toContain("a@1.1.0 was published 1 h ago");
    expect(choice?.passedOver.map(({ version, rule }) => `${version} ${rule}`)).toEqual(["1.1.0 release-age"]);
  });

  test("is nothing when policy allows nothing", () => {
    expect(chooseVersion(serve({ "1.0.0": 1 }, "1.0.0"))).toBeUndefined();
  });

  test("is always one that policy allows, and never above an allowed latest", () => {
    const ages = fc.dictionary(
      fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join(".")),
      fc.integer({ min: 0, max: 6 * day }),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(ages, fc.nat(), (table, pick) => {
        const versions = Object.keys(table);
        const latest = versions[pick % versions.length] as string;
        const served = serve(table, latest);
        const choice = chooseVersion(served);
        expect(choice === undefined).toBe(served.versions.size === 0);
        if (choice === undefined) return;
        expect(served.versions.has(choice.version)).toBe(true);
        if ((table[latest] ?? 0) >= 3 * day) expect(choice.version as string).toBe(latest);
        else expect(choice.why).toContain(latest);
      }),
    );
  });
});
