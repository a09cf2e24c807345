import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LarderError, type PackageName } from "../contract/index.ts";
import { createJsonMembers, type JsonMember } from "./json-members.ts";
import { declaredVersion, latestVersion } from "./packument.ts";
import { readPackument } from "./read-packument.ts";

const name = "dayjs" as PackageName;
const bytes = (text: string) => new TextEncoder().encode(text);
const version = (fields: object = {}) => ({ dist: { tarball: "https://example.org/dayjs.tgz" }, ...fields });
const read = (document: unknown, limits?: Parameters<typeof readPackument>[1]["limits"]) =>
  readPackument([bytes(typeof document === "string" ? document : JSON.stringify(document))], {
    name,
    host: "registry.test",
    ...(limits && { limits }),
  });
const refusal = async (document: unknown, limits?: Parameters<typeof readPackument>[1]["limits"]) => {
  const error = await read(document, limits).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LarderError);
  expect((error as LarderError).message).toContain("dayjs");
  expect((error as LarderError).message).toContain("registry.test");
  return (error as LarderError).code;
};
const small = { bytes: 10_000, versions: 3, versionBytes: 1000 };

describe("readPackument", () => {
  test("keeps what is needed of each version, and drops the rest", async () => {
    const packument = await read({
      _id: "dayjs",
      name: "dayjs",
      readme: "x".repeat(1000),
      "dist-tags": { latest: "1.1.0", next: 3 },
      versions: {
        "1.0.0": version({
          devDependencies: { jest: "1" },
          dependencies: { a: "^1", odd: 1 },
          os: "linux",
          scripts: { postinstall: "x" },
        }),
        "1.1.0": version({
          deprecated: "no",
          dependencies: [],
          peerDependenciesMeta: { p: { optional: true }, q: {} },
          cpu: ["x64", 3],
        }),
      },
      time: {},
    });
    expect(latestVersion(packument)).toBe("1.1.0" as never);
    expect(packument.versions["1.0.0"]).toEqual({
      name,
      version: "1.0.0" as never,
      dist: { tarball: "https://example.org/dayjs.tgz" },
      dependencies: { a: "^1" },
      os: ["linux"],
      hasInstallScript: true,
    });
    expect(packument.versions["1.1.0"]).toMatchObject({
      deprecated: "no",
      peerDependenciesMeta: { p: { optional: true } },
      cpu: ["x64"],
    });
    expect(declaredVersion(packument, "9.9.9")).toBeUndefined();
    expect(declaredVersion(packument, "constructor")).toBeUndefined();
  });

  test("leaves out versions that are none, or have no tarball", async () => {
    const versions = {
      "1.0.0": version(),
      "1.0": version(),
      "v1.0.1": version(),
      "1.0.2": "x",
      "1.0.3": {},
      __proto__: version(),
    };
    const packument = await read(
      JSON.stringify({ name, "dist-tags": { latest: "1.0" }, versions }).replace(`"1.0.3"`, `"__proto__":{},"1.0.3"`),
    );
    expect(Object.keys(packument.versions)).toEqual(["1.0.0"]);
    expect(latestVersion(packument)).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ["nothing", ""],
    ["a web page", "<!doctype html><title>Log in</title>"],
    ["a list", "[]"],
    ["half a document", `{"name":"dayjs","versions":{"1.0.0":{"dist":{"tarball":"x"}`],
    ["versions as a list", { name, versions: [] }],
    ["versions as text", { name, versions: "none" }],
    ["tags as a list", { name, "dist-tags": ["latest"], versions: {} }],
    ["another package", { name: "moment", versions: {} }],
    ["no name", { versions: {} }],
    [
      "deep nesting in a large document",
      `{"name":"dayjs","versions":{"1.0.0":${"[".repeat(1_100_000)}${"]".repeat(1_100_000)}}}`,
    ],
    ["a version that is not JSON", `{"name":"dayjs","versions":{"1.0.0":{"dist":{'tarball':1}}}}`],
    ["text that is not UTF-8", "bytes"],
  ])("refuses %s", async (what, document) => {
    if (what === "text that is not UTF-8") {
      const broken = new Uint8Array([
        ...bytes(`{"name":"dayjs","versions":{"1.0.0":{"deprecated":"`),
        0xff,
        0xfe,
        ...bytes(`"}}}`),
      ]);
      const error = await readPackument([broken], { name, host: "registry.test" }).catch((thrown: unknown) => thrown);
      expect((error as LarderError).code).toBe("E_REGISTRY_ANSWER");
    } else expect(await refusal(document)).toBe("E_REGISTRY_ANSWER");
  });

  test("deep nesting in what is skipped does no harm", async () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    expect((await read(`{"readme":${deep},"name":"dayjs","versions":{}}`)).versions).toEqual({});
    expect((await read(`{"name":"dayjs","versions":{"1.0.0":${deep}}}`)).versions).toEqual({});
  });

  test("reads the same from a document of any size", async () => {
    const document = {
      name,
      "dist-tags": { latest: "1.0.0" },
      modified: "2026-01-01T00:00:00.000Z",
      versions: {
        "1.0.0": version({ dependencies: { a: "^1" } }),
        "1.0.1": version({ deprecated: "no", hasInstallScript: true }),
      },
    };
    expect(await read({ ...document, readme: "x".repeat(3 << 20) })).toEqual(await read(document));
  });

  test("stops at the caps", async () => {
    expect(await refusal({ name, versions: {}, readme: "x".repeat(20_000) }, small)).toBe("E_TOO_LARGE");
    const many = Object.fromEntries(["1.0.0", "1.0.1", "1.0.2", "1.0.3"].map((id) => [id, version()]));
    expect(await refusal({ name, versions: many }, small)).toBe("E_TOO_LARGE");
    expect(await refusal({ name, versions: { "1.0.0": version({ deprecated: "x".repeat(2000) }) } }, small)).toBe(
      "E_REGISTRY_ANSWER",
    );
  });

  test("an endless document ends at the cap, not in memory", async () => {
    const endless = async function* () {
      yield bytes(`{"name":"dayjs","readme":"`);
      for (;;) yield new Uint8Array(1 << 20).fill(0x61);
    };
    const error = await readPackument(endless(), { name, host: "registry.test" }).catch((thrown: unknown) => thrown);
    expect((error as LarderError).code).toBe("E_TOO_LARGE");
  });

  test("a large document does not stall the event loop", async () => {
    const versions = Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => [`1.0.${i}`, version({ dependencies: { a: "1" }, readme: "x ".repeat(5000) })]),
    );
    const document = bytes(JSON.stringify({ name, "dist-tags": {}, versions }));
    expect(document.length).toBeGreaterThan(18 << 20);
    let [longest, last] = [0, performance.now()];
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }, 1);
    const packument = await readPackument([document], { name, host: "registry.test" });
    clearInterval(timer);
    expect(Object.keys(packument.versions).length).toBe(2000);
    expect(longest).toBeLessThan(200);
  });
});

describe("createJsonMembers", () => {
  const options = { open: new Set(["o"]), whole: new Set(["w"]), pick: ["p", "q"], valueBytes: 1 << 20, depth: 100 };
  const membersOf = (chunks: Uint8Array[]): Map<string, unknown> => {
    const members = new Map<string, unknown>();
    const reader = createJsonMembers(options, ({ path, text }: JsonMember) => members.set(path.join("."), JSON.parse(text)));
    for (const chunk of chunks) reader.push(chunk);
    reader.end();
    return members;
  };
  const keys = fc.constantFrom("p", "q", "r", "ä", 'x"y\\', "");
  const inner = fc.dictionary(keys, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
  const outer = fc.record(
    {
      o: fc.dictionary(fc.string({ unit: "binary" }), fc.oneof(inner, fc.jsonValue()), { maxKeys: 4 }),
      w: fc.jsonValue(),
      z: fc.jsonValue(),
      "": inner,
    },
    { requiredKeys: [] },
  );

  test("gives what JSON.parse gives, wherever the chunks are cut", () => {
    fc.assert(
      fc.property(outer, fc.constantFrom(0, 1, 2), fc.array(fc.integer({ min: 1, max: 40 })), (value, indent, cuts) => {
        const all = bytes(JSON.stringify(value, undefined, indent));
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const cut of [...cuts, all.length]) {
          chunks.push(all.subarray(at, at + cut));
          at += cut;
        }
        const members = membersOf(chunks);
        const parsed = JSON.parse(JSON.stringify(value)) as { o?: Record<string, unknown>; w?: unknown };
        if ("w" in parsed) expect(members.get("w")).toEqual(parsed.w);
        for (const [key, member] of Object.entries(parsed.o ?? {})) {
          const got = members.get(`o.${key}`);
          if (typeof member !== "object" || member === null || Array.isArray(member)) expect(got).toEqual(member);
          else
            for (const wanted of ["p", "q"])
              expect((got as Record<string, unknown>)[wanted]).toEqual((member as Record<string, unknown>)[wanted]);
        }
        expect(members.size).toBe(Object.keys(parsed.o ?? {}).length + ("w" in parsed ? 1 : 0));
      }),
      { numRuns: 500 },
    );
  });

  test("throws on anything that is cut short or has bytes too many", () => {
    fc.assert(
      fc.property(outer, fc.nat(), (value, cut) => {
        const all = bytes(JSON.stringify(value));
        expect(() => membersOf([all.subarray(0, cut % all.length)])).toThrow();
        expect(() => membersOf([all, bytes("}")])).toThrow();
      }),
    );
  });
});
