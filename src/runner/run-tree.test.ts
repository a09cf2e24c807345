import { describe, expect, test } from "bun:test";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import { generation } from "../../test/harness/runner-packages.ts";
import { openTestStore, runsFolder } from "../../test/harness/runner-stage.ts";
import { until } from "../../test/harness/until.ts";
import { runtimes } from "../contract/index.ts";
import { createRunner } from "./index.ts";

describe("the tree of a run", () => {
  const next = buildGeneration(
    [
      {
        name: "greeter",
        version: "2.0.0",
        files: { "index.js": `exports.late = () => import("./late.mjs");`, "late.mjs": `export default "late of 2";` },
      },
    ],
    ["greeter"],
  );
  const third = buildGeneration([], []);

  test("stays the same through flips and sweeps, and is released at the end", async () => {
    await using own = await openTestStore();
    await own.serve(generation, 1);
    const run = createRunner(own.store).run({
      script: `import { late } from "greeter"; console.log("started"); await new Promise((r) => setTimeout(r, 600)); export default (await late()).default`,
    });
    await until("it has its lease", async () => (await readdir(runsFolder(own.store))).length === 1);
    await own.serve(next, 2);
    await own.serve(third, 3);
    await own.sweep();
    expect(await run).toMatchObject({ result: "late of 1", generation: 1 });
    await own.sweep();
    expect(await readdir(join(own.store.directory, "trees"))).not.toContain(generation.lockfileHash);
  });

  test.each(runtimes)("of a run that outlives ten generations is the one that a late import meets (%s)", async (runtime) => {
    const started = Promise.withResolvers<void>();
    await using own = await openTestStore();
    await own.serve(generation, 1);
    const run = createRunner(own.store).run({
      runtime,
      script: `import { late } from "greeter"; import { existsSync } from "node:fs";
        console.log("started"); while (!existsSync("go")) await new Promise((r) => setTimeout(r, 20));
        export default (await late()).default`,
      timeoutMs: 100_000,
      onOutput: () => started.resolve(),
    });
    await started.promise;
    for (let number = 2; number <= 12; number++) {
      await own.serve(number % 2 === 0 ? next : third, number);
      await own.sweep();
    }
    const [directory = ""] = await readdir(runsFolder(own.store));
    await writeFile(join(runsFolder(own.store), directory, "go"), "");
    expect(await run).toMatchObject({ result: "late of 1", generation: 1, error: null });
    await own.sweep();
    expect(await readdir(join(own.store.directory, "trees"))).not.toContain(generation.lockfileHash);
  });

  test("may be asked for by generation, while it is there", async () => {
    await using own = await openTestStore();
    await own.serve(generation, 1);
    await own.serve(next, 2);
    const older = createRunner(own.store);
    const script = `import { late } from "greeter"; export default (await late()).default`;
    expect(await older.run({ script, generation: 1 })).toMatchObject({ result: "late of 1", generation: 1 });
    expect(await older.run({ script })).toMatchObject({ result: "late of 2", generation: 2 });
    await expect(older.run({ script, generation: 9 })).rejects.toMatchObject({ code: "E_NOT_FOUND" });
  });

  test("may be none on a host that never had one", async () => {
    await using own = await openTestStore();
    const bare = createRunner(own.store);
    expect(await bare.run({ script: "export default 1" })).toMatchObject({ result: 1, generation: 0 });
    const { error } = await bare.run({ script: `import "greeter"` });
    expect(error).toMatchObject({ code: "E_NOT_ALLOWLISTED", message: expect.stringContaining("no packages were installed") });
  });

  test("may be empty", async () => {
    await using own = await openTestStore();
    await own.serve(third, 1);
    expect(await createRunner(own.store).run({ script: "export default 1" })).toMatchObject({ result: 1, generation: 1 });
  });
});
