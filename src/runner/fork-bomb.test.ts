import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { processesAt } from "../../test/harness/leaks.ts";
import { generation } from "../../test/harness/runner-packages.ts";
import { openTestStore, runsFolder, type TestStore } from "../../test/harness/runner-stage.ts";
import { testUnless } from "../../test/harness/test-unless.ts";
import { until } from "../../test/harness/until.ts";
import { findCgroups } from "./find-cgroup.ts";
import { createRunner } from "./index.ts";
import { hasOwnProcessNumbers, type ProcessLimit } from "./process-limit.ts";

let fixture: TestStore;
beforeAll(async () => {
  fixture = await openTestStore();
  await fixture.serve(generation, 1);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const cgroups = findCgroups();
const noNumbers = hasOwnProcessNumbers() ? undefined : "this kernel gives namespaces no process numbers of their own";
const noCgroups = cgroups ? undefined : "this process may make no control groups";

/** Doubles ten times as fast as it can, and no more: 2,047 processes that each end within seconds, whatever becomes of the run. */
const bombs = {
  "that stay in their group": "f() { if [ $1 -gt 0 ]; then f $(($1 - 1)) & f $(($1 - 1)) & wait; else sleep 3; fi; }; f 10",
  "that leave their session":
    'n=$1; if [ "$n" -gt 0 ]; then setsid sh bomb.sh $((n - 1)) & setsid sh bomb.sh $((n - 1)) & wait; else sleep 3; fi',
};
const kinds: [limit: ProcessLimit, holding: "namespace" | "marks", skip: string | undefined][] = [
  ["namespace", "namespace", noNumbers],
  ["cgroup", "namespace", noCgroups],
  ["cgroup", "marks", noCgroups],
];

describe.each(kinds)("the limit %s (%s)", (processLimit, holding, skip) => {
  const runner = () => createRunner(fixture.store, { holding, processLimit });

  for (const [what, bomb] of Object.entries(bombs)) {
    testUnless(skip, `ends processes that start each other, ${what}`, async () => {
      const startedAt = performance.now();
      const { error, confinement } = await runner().run({
        script: `import { spawn } from "node:child_process"; import { writeFileSync } from "node:fs";
          writeFileSync("bomb.sh", ${JSON.stringify(bomb)});
          spawn("sh", ["bomb.sh", "10"], { stdio: "ignore" });
          await new Promise((r) => setTimeout(r, 12_000));`,
        timeoutMs: 10_000,
      });
      expect(confinement.processLimit).toBe(processLimit);
      expect(error).toMatchObject({ code: "E_RUN_LIMIT", details: { limit: "processes" } });
      expect(performance.now() - startedAt).toBeLessThan(15_000);
      await until("no process is left", async () => (await processesAt(runsFolder(fixture.store))).length === 0);
      expect(await readdir(runsFolder(fixture.store))).toEqual([]);
      expect(ownCgroups()).toEqual([]);
    });
  }

  testUnless(skip, "holds while nobody looks", async () => {
    const running = runner().run({
      script: `import { spawn } from "node:child_process"; import { writeFileSync } from "node:fs";
        writeFileSync("started", "");
        await new Promise((r) => setTimeout(r, 300));
        let count = 0;
        for (let i = 0; i < 1200; i++) {
          const child = spawn("sleep", ["3"], { stdio: "ignore" });
          child.on("error", () => {});
          if (child.pid !== undefined) count++;
        }
        writeFileSync("count", String(count));
        setInterval(() => {}, 1000);`,
      processes: 64,
      timeoutMs: 20_000,
    });
    await until("it has started", () => inRun("started") !== undefined);
    // This process, which would end the run, does nothing at all meanwhile.
    for (let look = 0; look < 150 && !inRun("count"); look++) Bun.sleepSync(100);
    const count = Number(inRun("count"));
    expect(count).toBeGreaterThan(900);
    expect(count).toBeLessThan(1024);
    expect((await running).error?.code).toBeOneOf(["E_RUN_LIMIT", "E_RUN_KILLED"]);
  });

  // As root and without a namespace a script can do what root can.
  if (holding === "namespace")
    testUnless(skip, "cannot be raised by the script", async () => {
      const files = ["/proc/sys/kernel/pid_max", ...(cgroups ? [join(cgroups.parent, "cgroup.procs")] : [])];
      const { result } = await runner().run({
        script: `import { writeFileSync } from "node:fs";
        export default ${JSON.stringify(files)}.map((path, i) => { try { writeFileSync(path, i === 0 ? "4000000" : "0"); return "written" } catch (e) { return e.code } })`,
      });
      expect(result).toEqual(["EROFS", processLimit === "cgroup" ? "EROFS" : expect.any(String)]);
    });
});

testUnless(noCgroups, "a control group of a runner that has died goes, with what ran in it", async () => {
  const left = join(cgroups?.parent ?? "", "larder-run-4194303-0");
  mkdirSync(left);
  const child = Bun.spawn(["sh", "-c", `echo 0 >${left}/cgroup.procs; echo in; exec sleep 60`], { stdout: "pipe" });
  await child.stdout.getReader().read();
  findCgroups();
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  findCgroups();
  if (existsSync(left)) rmdirSync(left);
});

test("a run says what keeps it from starting processes without end", async () => {
  const { confinement } = await createRunner(fixture.store, { holding: "marks", processLimit: "sampled" }).run({ script: "1" });
  expect(confinement).toMatchObject({ processes: "marks", processLimit: "sampled" });
});

function inRun(name: string): string | undefined {
  for (const run of readdirSync(runsFolder(fixture.store))) {
    const path = join(runsFolder(fixture.store), run, name);
    if (existsSync(path)) return readFileSync(path, "utf8");
  }
  return undefined;
}

function ownCgroups(): string[] {
  return cgroups ? readdirSync(cgroups.parent).filter((name) => name.startsWith(`larder-run-${process.pid}-`)) : [];
}
