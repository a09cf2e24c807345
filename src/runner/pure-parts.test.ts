import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { packageNameOf } from "./classify-failure.ts";
import { editDistance, nearestName } from "./nearest-name.ts";
import { createOutputCapture } from "./output-capture.ts";
import { createScene } from "./scene.ts";

describe("the nearest name", () => {
  test("is one slip of the pen away, or the same behind another scope", () => {
    expect(nearestName("lodahs", ["lodash", "dayjs"])).toBe("lodash");
    expect(nearestName("dayj", ["lodash", "dayjs"])).toBe("dayjs");
    expect(nearestName("utils", ["@corp/utils"])).toBe("@corp/utils");
    expect(nearestName("@corp/zod", ["zod"])).toBe("zod");
    expect(nearestName("react", ["lodash", "dayjs"])).toBeUndefined();
    expect(nearestName("x", [])).toBeUndefined();
  });

  test("distance is a metric within its limit", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b, 10);
        expect(distance).toBe(editDistance(b, a, 10));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(editDistance(a, b, 2)).toBe(Math.min(distance, 3));
      }),
    );
  });
});

test("captured output is a prefix in whole characters, whatever the chunks", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", "\n"), maxLength: 60 });
  fc.assert(
    fc.property(text, fc.nat(80), fc.array(fc.nat(200), { maxLength: 8 }), (whole, limit, cuts) => {
      const bytes = Buffer.from(whole);
      const seen: string[] = [];
      const capture = createOutputCapture(limit, (piece) => seen.push(piece));
      const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
      for (const [index, edge] of edges.slice(1).entries()) capture.push(bytes.subarray(edges[index], edge));
      const { text: kept, truncated } = capture.finish();
      expect(truncated).toBe(bytes.length > limit);
      expect(seen.join("")).toBe(kept);
      const mark = `\n[output cut after ${limit} bytes]\n`;
      expect(kept.endsWith(mark)).toBe(truncated);
      const content = truncated ? kept.slice(0, -mark.length) : kept;
      expect(whole.startsWith(content)).toBe(true);
      expect(Buffer.byteLength(content)).toBeGreaterThan(Math.min(limit, bytes.length) - 4);
    }),
  );
});

test("a package's name is what an import names before any subpath", () => {
  expect(packageNameOf("lodash/fp")).toBe("lodash" as never);
  expect(packageNameOf("@corp/utils/sub/x.js")).toBe("@corp/utils" as never);
  for (const other of ["./x", "/x", "../x", "#x", "@corp", "", "https://x/y", "a b"])
    expect(packageNameOf(other)).toBeUndefined();
});

test("the position of an import is where its name stands, not where the same word stands before", () => {
  const scene = createScene({
    scriptName: "s.ts",
    scriptText: `// "zod" is nice\nconst a = "zod";\nimport { z } from "zod/v4";\n`,
    runDirectory: "/store/runs/1",
    packagesDirectory: "/store/packages",
    hasTree: true,
    roots: [],
    unavailable: new Map(),
    transitive: new Set(),
    pending: new Map(),
    currentRoots: [],
    generation: 1,
    exportsOf: () => [],
    platform: "linux-x64-glibc",
  });
  expect(scene.positionOf("zod")).toEqual({ file: "s.ts", line: 3, column: 19 });
  expect(scene.positionOf("ajv")).toBeUndefined();
  expect(scene.clean("/store/runs/1/s.ts:1 /store/packages/ab12/node_modules/zod/i.js")).toBe("s.ts:1 node_modules/zod/i.js");
});
