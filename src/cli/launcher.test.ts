import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const launcher = resolve(import.meta.dir, "../../bin/larder");
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "larder-launcher-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function start(command: string, args: string[], cwd: string) {
  const child = Bun.spawn([command, ...args], { cwd, stdout: "pipe", stderr: "pipe", env: { PATH: "/usr/bin:/bin" } });
  const [out, err, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, exitCode };
}

test("it runs from any directory, and through links to links", async () => {
  await mkdir(join(directory, "bin with space"));
  await symlink(launcher, join(directory, "first"));
  await symlink("../first", join(directory, "bin with space", "larder"));
  const { out, exitCode } = await start(join(directory, "bin with space", "larder"), ["--version"], directory);
  expect(exitCode).toBe(0);
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("what lies about in the working directory does not reach it", async () => {
  const cwd = join(directory, "project");
  await mkdir(cwd);
  await writeFile(join(cwd, ".env"), "LARDER_LOG_LEVEL=nonsense\n");
  await writeFile(join(cwd, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
  await writeFile(join(cwd, "evil.ts"), 'console.log("evil"); process.exit(9);\n');
  await writeFile(join(cwd, "tsconfig.json"), "not even JSON");
  const { out, err, exitCode } = await start(launcher, ["list", "--json"], cwd);
  expect(exitCode).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ error: { code: "E_SERVER_UNREACHABLE" } });
  expect(err).not.toContain("nonsense");
});

test("without its dependencies it says what to run", async () => {
  const copy = join(directory, "copy", "bin");
  await mkdir(copy, { recursive: true });
  await cp(launcher, join(copy, "larder"));
  const { err, exitCode } = await start(join(copy, "larder"), ["status"], directory);
  expect(exitCode).toBe(2);
  expect(err).toContain("npm ci");
});
