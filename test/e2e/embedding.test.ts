import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { spawnProcess } from "../harness/spawned.ts";
import { openTempDir, type TempDir } from "../harness/temp-dir.ts";
import { type LarderStack, openLarderStack, succeed } from "./larder-stack.ts";

const root = resolve(import.meta.dir, "../..");

let project: TempDir;
let registry: FixtureRegistry;
let stack: LarderStack;

/** A program of somebody else's, with Larder among its packages. */
beforeAll(async () => {
  const built = spawnSync(process.execPath, [join(root, "scripts/build-embed.ts")], { encoding: "utf8" });
  expect(built.stderr).toContain("Built dist/embed");
  project = await openTempDir("embedder");
  await mkdir(project.join("node_modules"));
  await symlink(root, project.join("node_modules/larder"));
  await writeFile(project.join("package.json"), JSON.stringify({ type: "module" }));
  await writeFile(project.join("main.js"), await example());
  registry = await openFixtureRegistry([
    { name: "colour", version: "1.0.0", files: { "index.js": "module.exports = 'green';" } },
  ]);
  stack = await openLarderStack({ registry: registry.url });
  await stack.add("colour@1.0.0");
  await stack.install();
}, 120_000);

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  await project?.[Symbol.asyncDispose]();
});

for (const [program, runtime] of [
  ["node", "node"],
  ["node", "bun"],
  [process.execPath, "bun"],
] as const) {
  const name = program === "node" ? "Node" : "Bun";
  test(`what the page says works under ${name}, with scripts under ${runtime}`, async () => {
    const id = `embedded-${name.toLowerCase()}-${runtime}`;
    const enrolled = await succeed(stack.larder(["hosts", "enrol", id]));
    const { token } = enrolled.json<{ token: string }>();
    const env = { DATA_DIR: project.join(id), LARDER_SERVER: stack.server.url, LARDER_TOKEN: token, RUNTIME: runtime };
    await using embedder = spawnProcess(program, [project.join("main.js")], { cwd: project.path, env });
    const { code } = await embedder.exited;
    expect({ code, stderr: embedder.stderr() }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(embedder.stdout())).toMatchObject({ result: { colour: "green", asked: "today" }, generation: 1 });
  }, 60_000);
}

test("TypeScript finds the types of what Node imports", async () => {
  const options = ["--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck", "--noEmit", "--types", "node"];
  await writeFile(
    project.join("typed.ts"),
    `import { openHostStore, type Agent, type RunResult } from "larder/embed";
     const store = await openHostStore({ directory: "x" });
     export const platform: string = store.platform.os;
     // @ts-expect-error a directory is text
     await openHostStore({ directory: 1 });
     export const code = (result: RunResult, agent: Agent): [number | null, string] => [result.exitCode, agent.status().phase];`,
  );
  const tsc = spawnSync(
    join(root, "node_modules/.bin/tsc"),
    [...options, "--typeRoots", join(root, "node_modules/@types"), "typed.ts"],
    {
      cwd: project.path,
      encoding: "utf8",
    },
  );
  expect(tsc.stdout).toBe("");
}, 60_000);

async function example(): Promise<string> {
  const page = await readFile(join(root, "docs/embedding.md"), "utf8");
  return /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
}
