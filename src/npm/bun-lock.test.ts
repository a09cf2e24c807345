import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hasCode } from "../contract/index.ts";
import { parseBunLock } from "./bun-lock.ts";
import { lookupPaths, parseLockPath } from "./lock-path.ts";
import { parseLooseJson } from "./loose-json.ts";

const fixture = (name: string) => Bun.file(`${import.meta.dir}/fixtures/${name}.lock`).text();
const lockOf = (packages: string) => `{ "lockfileVersion": 2, "packages": { ${packages} }, }`;

function codeOf(text: string): string {
  try {
    parseBunLock(text);
    return "none";
  } catch (error) {
    return hasCode(error, "E_RESOLVE", "E_LOCKFILE") ? `${error.code} ${error.message}` : `unexpected ${error}`;
  }
}

describe("parseBunLock", () => {
  test("reads what Bun writes, in both versions of the format", async () => {
    const v2 = parseBunLock(await fixture("peers-v2"));
    const v1 = parseBunLock(await fixture("peers-v1"));
    expect([v1.version, v2.version]).toEqual([1, 2]);
    for (const { packages } of [v1, v2]) {
      const keywords = packages.find(({ path }) => path === "ajv-keywords");
      expect(keywords).toMatchObject({
        name: "ajv-keywords",
        version: "5.1.0",
        peerDependencies: { ajv: "^8.8.2" },
        bundled: false,
      });
      expect(keywords?.integrity).toStartWith("sha512-");
    }
  });

  test("reads platforms, aliases, optional peers and bundled packages", async () => {
    const find = async (name: string, path: string) =>
      parseBunLock(await fixture(name)).packages.find((entry) => entry.path === path);
    expect(await find("platforms", "@img/sharp-linuxmusl-x64")).toMatchObject({ os: ["linux"], cpu: ["x64"], libc: ["musl"] });
    expect(await find("aliases", "wrap-ansi-cjs")).toMatchObject({ name: "wrap-ansi", version: "7.0.0" });
    expect(await find("optional-peers", "ws")).toMatchObject({ optionalPeers: ["bufferutil", "utf-8-validate"] });
    expect(await find("bundled", "@tailwindcss/oxide-wasm32-wasi/tslib")).toMatchObject({ bundled: true });
  });

  test.each([
    ["git", `"x": ["x@git+ssh://git@example.org/a/b.git#c0ffee", {}, "a-b-c0ffee"]`],
    ["github", `"x": ["x@github:a/b#c0ffee", {}, "a-b-c0ffee", "sha512-AA=="]`],
    ["an address", `"x": ["x@https://example.org/x.tgz", {}, "sha512-AA=="]`],
    ["a file", `"x": ["x@file:../x", {}]`],
    ["a workspace", `"x": ["x@workspace:packages/x"]`],
    ["a link", `"x": ["x@link:x", {}]`],
  ])("refuses a package from %s, by name", (_, entry) => {
    expect(codeOf(lockOf(entry))).toMatch(/^E_RESOLVE x resolves to "x@/);
  });

  test.each([
    ["no JSON", "{"],
    ["another version", `{ "lockfileVersion": 3, "packages": {} }`],
    ["no version", `{ "packages": {} }`],
    ["a path that leads out", lockOf(`"../x": ["x@1.0.0", "", {}, ""]`)],
    ["a path without a name", lockOf(`"a//b": ["b@1.0.0", "", {}, ""]`)],
    ["an entry of another shape", lockOf(`"x": {}`)],
    ["a list that is none", lockOf(`"x": ["x@1.0.0", "", { "os": 1 }, ""]`)],
    ["packages that are none", `{ "lockfileVersion": 1, "packages": [] }`],
  ])("refuses %s", (_, text) => {
    expect(codeOf(text)).toStartWith("E_LOCKFILE");
  });

  test("refuses a dependency whose name is none", () => {
    expect(codeOf(lockOf(`"x": ["x@1.0.0", "", { "dependencies": { "../y": "1" } }, ""]`))).toMatch(
      /^E_RESOLVE x depends on "..\/y"/,
    );
  });
});

describe("parseLooseJson", () => {
  test("reads any JSON, with or without commas before closing brackets", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value, undefined, 1);
        const loose = text.replace(/(["\d\w\]}])\n(\s*[\]}])/g, (all, before, after, offset: number) =>
          isInString(text, offset + 1) ? all : `${before},\n${after}`,
        );
        expect(parseLooseJson(text)).toEqual(JSON.parse(text));
        expect(parseLooseJson(loose)).toEqual(JSON.parse(text));
      }),
    );
  });

  test("leaves strings alone and refuses other liberties", () => {
    expect(parseLooseJson(`["a,]", "\\",}", ]`)).toEqual(["a,]", '",}']);
    for (const text of ["[1,,]", "[,]", "{,}", "[1,,\n]", "[,\n]", "{ ,\n}", `["a\n,\n]"]`, "// a\n[]", "['a']", "[1"])
      expect(() => parseLooseJson(text)).toThrow(SyntaxError);
  });
});

describe("lock paths", () => {
  test("keep scopes together and look up from the inside out", () => {
    expect(parseLockPath("a/@s/n/b")).toEqual(["a", "@s/n", "b"]);
    expect(lookupPaths("a/@s/n", "d")).toEqual(["a/@s/n/d", "a/d", "d"]);
    expect(lookupPaths("a", "@t/d")).toEqual(["a/@t/d", "@t/d"]);
    for (const path of ["", "a/", "/a", "@s", "a/@s", "a/../b", "a/node_modules"]) expect(parseLockPath(path)).toBeUndefined();
  });
});

function isInString(text: string, offset: number): boolean {
  let inside = false;
  for (let i = 0; i < offset; i++) {
    if (inside && text[i] === "\\") i++;
    else if (text[i] === '"') inside = !inside;
  }
  return inside;
}
