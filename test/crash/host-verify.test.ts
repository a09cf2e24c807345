import { expect, test } from "bun:test";
import { chmod, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runLarder } from "../harness/processes.ts";
import { openStage } from "./host-stage.ts";

test("larder verify answers whether the files are intact and whether they are trusted, each with bits of its own; sweep says what it would do", async () => {
  using stage = await openStage();
  const { directory } = stage.prepared.sweep;
  const verify = async (...args: string[]) => {
    const run = await runLarder(["verify", "--data-dir", directory, "--json", ...args]);
    const { intact, trusted } =
      run.code === 1 || run.stdout === "" ? { intact: undefined, trusted: undefined } : run.json<Answer>();
    return { code: run.code, intact, trusted };
  };
  expect(await verify()).toEqual({ code: 0, intact: true, trusted: true });

  const dry = await runLarder(["sweep", "--dry-run", "--data-dir", directory, "--json"]);
  const would = dry.json<{ trees: string[] }>();
  expect(would.trees.length).toBe(2);
  expect((await readdir(join(directory, "trees"))).length).toBe(4);
  const swept = await runLarder(["sweep", "--data-dir", directory, "--json"]);
  expect(swept.json<object>()).toEqual({ ...would, dryRun: false });
  expect((await readdir(join(directory, "trees"))).length).toBe(2);

  const [file] = await filesOf(join(directory, "packages"));
  await chmod(file ?? "", 0o644);
  await truncate(file ?? "", 1);
  expect(await verify()).toEqual({ code: 7, intact: false, trusted: true });
  const away = await runLarder(["verify", "--repair", "--data-dir", directory, "--json"], {
    env: { LARDER_TOKEN: stage.scene.token },
  });
  expect(away.code).toBe(1);
  expect(away.stderr).toContain("E_SERVER_UNREACHABLE");

  const accepted = join(directory, "state/accepted.json");
  await writeFile(accepted, (await readFile(accepted, "utf8")).replaceAll('"signed"', '"unsigned"'));
  expect((await verify()).code).toBe(15);
}, 60_000);

interface Answer {
  intact: boolean;
  trusted: boolean;
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
