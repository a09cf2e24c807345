import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openTempDir } from "../../../test/harness/temp-dir.ts";
import { hasCode } from "../../contract/index.ts";
import { markerPath, writeTypes } from "./write-types.ts";

let directory: Awaited<ReturnType<typeof openTempDir>>;
beforeEach(async () => {
  directory = await openTempDir("types");
});
afterEach(() => directory[Symbol.asyncDispose]());

const first = { "node_modules/a/index.d.ts": "a1", "node_modules/a/package.json": "{}", "node_modules/@s/b/index.d.ts": "b1" };
const second = { "node_modules/a/index.d.ts": "a2", "node_modules/a/package.json": "{}" };

const write = (files: Record<string, string>, generation = 1) =>
  writeTypes(directory.path, { files: new Map(Object.entries(files)), environment: "default", generation });

async function listed(): Promise<Record<string, string>> {
  const entries = await readdir(directory.path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  const found: Record<string, string> = {};
  for (const path of files.sort()) {
    const name = path.slice(directory.path.length + 1);
    if (name !== markerPath) found[name] = await readFile(path, "utf8").catch(() => "?");
  }
  return found;
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(directory.join(path)), { recursive: true });
  await writeFile(directory.join(path), text);
}

const refusalOf = async (call: Promise<unknown>) =>
  await call.then(
    () => undefined,
    (error: unknown) => error,
  );

test("writing again changes nothing, and another generation changes what differs and removes what is gone", async () => {
  expect(await write(first)).toEqual({ written: 3, unchanged: 0, removed: 0 });
  expect(await write(first)).toEqual({ written: 0, unchanged: 3, removed: 0 });
  expect(await write(second, 2)).toEqual({ written: 1, unchanged: 1, removed: 1 });
  expect(await listed()).toEqual(second);
  expect(await readdir(directory.join("node_modules"))).not.toContain("@s");
});

test("what somebody else put there is never touched", async () => {
  await put("node_modules/foreign/index.js", "mine");
  await put("node_modules/a/index.js", "mine too");
  await write(first);
  await write({});
  expect(await listed()).toEqual({ "node_modules/a/index.js": "mine too", "node_modules/foreign/index.js": "mine" });
});

test("a place that somebody else has taken refuses all of it, before anything is written", async () => {
  await put("node_modules/a/index.d.ts", "mine");
  const refusal = await refusalOf(write(first));
  expect([hasCode(refusal, "E_CONFLICT"), String(refusal)]).toEqual([true, expect.stringContaining("node_modules/a/index.d.ts")]);
  expect(await listed()).toEqual({ "node_modules/a/index.d.ts": "mine" });
});

test("a file of ours that was changed since is somebody's work: neither overwritten nor removed", async () => {
  await write(first);
  await put("node_modules/a/index.d.ts", "edited");
  expect(hasCode(await refusalOf(write(second)), "E_CONFLICT")).toBe(true);
  await write({ "node_modules/@s/b/index.d.ts": "b1" });
  expect(await listed()).toEqual({ "node_modules/@s/b/index.d.ts": "b1", "node_modules/a/index.d.ts": "edited" });
});

test("links are not followed, wherever they lead", async () => {
  await using elsewhere = await openTempDir("elsewhere");
  await mkdir(directory.join("node_modules"));
  await symlink(elsewhere.path, directory.join("node_modules/a"));
  expect(hasCode(await refusalOf(write(first)), "E_CONFLICT")).toBe(true);
  await rm(directory.join("node_modules"), { recursive: true });
  await symlink(elsewhere.path, directory.join("node_modules"));
  expect(hasCode(await refusalOf(write(first)), "E_CONFLICT")).toBe(true);
  expect(await readdir(elsewhere.path)).toEqual([]);
});

test("what a killed run left half done, the next one finishes", async () => {
  await write(first);
  const marker = JSON.parse(await readFile(directory.join(markerPath), "utf8"));
  // Killed after the marker that names old and new files, and after one of them.
  await write(second, 2);
  const after = JSON.parse(await readFile(directory.join(markerPath), "utf8"));
  for (const [path, hashes] of Object.entries(marker.files))
    after.files[path] = [...new Set([...(hashes as string[]), ...(after.files[path] ?? [])])];
  await put(markerPath, JSON.stringify(after));
  await put("node_modules/@s/b/index.d.ts", "b1");
  await put("node_modules/a/index.d.ts", "a1");
  expect(await write(second, 2)).toEqual({ written: 1, unchanged: 1, removed: 1 });
  expect(await listed()).toEqual(second);
});

test.each([
  "../x",
  "node_modules/../../x",
  "/etc/x",
  "node_modules",
  "node_modules/a\\..\\x",
  "node_modules//x",
  "node_modules/./x",
  "src/x.ts",
])("a path that leads elsewhere is refused, from a server as from a marker: %s", async (path) => {
  expect(hasCode(await refusalOf(write({ [path]: "x" })), "E_INTEGRITY")).toBe(true);
  await put(markerPath, JSON.stringify({ format: 1, environment: "default", generation: 1, files: { [path]: ["x"] } }));
  expect(hasCode(await refusalOf(write({})), "E_CONFLICT")).toBe(true);
});
