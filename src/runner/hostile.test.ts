import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { descendantsOf, listProcesses } from "../../test/harness/leaks.ts";
import { generation } from "../../test/harness/runner-packages.ts";
import { openTestStore, runsFolder, type TestStore } from "../../test/harness/runner-stage.ts";
import { until } from "../../test/harness/until.ts";
import { createRunner, type Runner, type RunRequest } from "./index.ts";

const onLinux = process.platform === "linux" ? describe : describe.skip;
/** Since Linux 6.14. */
const [major = 0, minor = 0] = release().split(".").map(Number);
const hasOwnProcessNumbers = major > 6 || (major === 6 && minor >= 14);
let fixture: TestStore;

beforeAll(async () => {
  fixture = await openTestStore();
  await fixture.serve(generation, 1);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const spawning = (command: string, args: string[], options = "{}") =>
  `import { spawn } from "node:child_process"; spawn(${JSON.stringify(command)}, ${JSON.stringify(args)}, ${options}).unref?.();`;

/** How a script tries to be too much, and what stops it. */
const greedy: [title: string, request: RunRequest, code: string][] = [
  ["spins", { script: "for (;;) {}", timeoutMs: 500 }, "E_RUN_TIMEOUT"],
  ["spins longer than its processor time", { script: "for (;;) {}", cpuMs: 300, timeoutMs: 15_000 }, "E_RUN_LIMIT"],
  [
    "spins in children",
    {
      script: `for (let i = 0; i < 2; i++) { ${spawning("sh", ["-c", "while :; do :; done"]).replace(/^.*?; /, "")} } setInterval(() => {}, 100);\n${spawning("true", [])}`,
      cpuMs: 500,
      timeoutMs: 15_000,
    },
    "E_RUN_LIMIT",
  ],
  [
    "takes 64 GB of memory",
    {
      script: "const kept = []; for (let i = 0; i < 640; i++) kept.push(new Uint8Array(1e8).fill(1)); console.log(kept.length)",
      memoryMb: 256,
      timeoutMs: 15_000,
    },
    "E_RUN_MEMORY",
  ],
  [
    "takes memory in a child",
    {
      script: `${spawning("sh", ["-c", 'a=x; while :; do a="$a$a"; done'])} setInterval(() => {}, 100)`,
      memoryMb: 256,
      timeoutMs: 15_000,
    },
    "E_RUN_MEMORY",
  ],
  [
    // No more than 200 of them, and each for some seconds only, whatever becomes of the run.
    "starts too many processes",
    {
      script: `${spawning("sh", ["-c", "i=0; while [ $i -lt 200 ]; do sleep 6 & i=$((i + 1)); done; wait"])} setInterval(() => {}, 100)`,
      processes: 64,
      timeoutMs: 15_000,
    },
    "E_RUN_LIMIT",
  ],
  [
    "makes a million files",
    {
      script: `import { writeFileSync } from "node:fs"; for (let i = 0; i < 1e6; i++) { writeFileSync("f" + i, ""); if (i % 500 === 0) await new Promise((r) => setTimeout(r, 50)); }`,
      files: 500,
      timeoutMs: 15_000,
    },
    "E_RUN_LIMIT",
  ],
  [
    "writes a file without end",
    {
      script: `${spawning("sh", ["-c", "exec cat /dev/zero >big"])} await new Promise((r) => setTimeout(r, 3000))`,
      fileMb: 4,
      timeoutMs: 15_000,
    },
    "E_RUN_LIMIT",
  ],
  ["stops itself", { script: `process.kill(process.pid, "SIGSTOP")`, timeoutMs: 500 }, "E_RUN_TIMEOUT"],
  [
    "ignores what asks it to end",
    {
      script: `for (const s of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(s, () => {}); setInterval(() => {}, 100)`,
      timeoutMs: 500,
    },
    "E_RUN_TIMEOUT",
  ],
];

onLinux.each(["namespace", "marks"] as const)("a script held by a %s", (holding) => {
  let runner: Runner;
  beforeAll(() => {
    runner = createRunner(fixture.store, { holding });
  });

  for (const [title, request, code] of greedy) {
    test(`that ${title} is stopped, and leaves nothing`, async () => {
      const before = performance.now();
      const { error, durationMs, confinement } = await runner.run(request);
      expect(confinement.processes).toBe(holding);
      expect(error).toMatchObject({ code, hint: expect.any(String) });
      expect(performance.now() - before - durationMs).toBeLessThan(5000);
      await expectNothingLeft();
    });
  }

  test.each([
    ["a second fork", ["sh", ["-c", "setsid sh -c 'sleep 4711 & sleep 4711' & sleep 0.05"]]],
    ["a cleared environment", ["env", ["-i", "setsid", "sh", "-c", "(sleep 4712 &); exec sleep 4712"]]],
    [
      "a life of starting others",
      ["env", ["-i", "setsid", "sh", "-c", "while :; do setsid sh -c 'sleep 4713' & sleep 0.01; done"]],
    ],
  ] as const)("cannot leave processes behind with %s", async (_, [command, args]) => {
    const start = `${spawning(command, [...args], '{ detached: true, stdio: "ignore" }')} await new Promise((r) => setTimeout(r, 150));`;
    for (const end of [
      "",
      "process.exit(0)",
      "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})",
      "setInterval(() => {}, 100)",
    ]) {
      await runner.run({ script: start + end, timeoutMs: 500 });
      await expectNothingLeft();
    }
  });

  test("starts no more than the kernel lets it, where the kernel counts", async () => {
    const script = `import { readFileSync } from "node:fs";
      export default Number(readFileSync("/proc/sys/kernel/pid_max", "utf8"))`;
    const { result } = await runner.run({ script });
    const outside = Number(await readFile("/proc/sys/kernel/pid_max", "utf8"));
    expect(outside).toBeGreaterThan(1024);
    expect(result).toBe(holding === "namespace" && hasOwnProcessNumbers ? 1024 : outside);
  });

  test("reads 10^5 descriptors' worth of errors, not the machine's", async () => {
    const script = `import { openSync } from "node:fs"; let n = 0; try { for (; n < 1e5; n++) openSync("/dev/null") } catch (e) { console.log(e.code) } export default n`;
    const { result, stdout } = await runner.run({ script });
    expect(stdout).toBe("EMFILE\n");
    expect(result).toBeLessThan(5000);
  });

  test("may print a gigabyte, or one line of 100 MB: a part is kept, and it says so", async () => {
    for (const [size, times] of [
      [1e6, 500],
      [1e8, 1],
    ]) {
      const script = `import { writeSync } from "node:fs"; const text = Buffer.alloc(${size}, "x");
        for (let i = 0; i < ${times}; i++) for (let at = 0; at < text.length; ) at += writeSync(1, text, at); export default "done"`;
      const { result, stdout, warnings } = await runner.run({ script, outputBytes: 1000, timeoutMs: 20_000 });
      expect(result).toBe("done");
      expect(stdout).toBe(`${"x".repeat(1000)}\n[output cut after 1000 bytes]\n`);
      expect(warnings).toMatchObject([{ code: "E_RUN_OUTPUT", hint: expect.any(String) }]);
    }
  });

  test("has only its own environment, in /proc too", async () => {
    process.env.LARDER_CANARY = "canary-5ecret";
    const odd = `b  c'd\n"$X"$(id)\\`;
    try {
      const script = `import { readFileSync } from "node:fs"; export default readFileSync("/proc/self/environ", "latin1").split("\\0").filter(Boolean)`;
      const { result } = await runner.run({ script, env: { A: odd } });
      const names = (result as string[]).map((line) => line.split("=")[0]);
      expect(result as string[]).toContain(`A=${odd}`);
      const allowed = [
        "A",
        "PATH",
        "HOME",
        "TMPDIR",
        "PWD",
        "OLDPWD",
        "_",
        "SHLVL",
        "TZ",
        "LANG",
        "DO_NOT_TRACK",
        "BUN_RUNTIME_TRANSPILER_CACHE_PATH",
      ];
      expect(names.filter((name) => !allowed.includes(name as string))).toEqual([]);
    } finally {
      delete process.env.LARDER_CANARY;
    }
  });

  test("writes descriptor 3 at its own cost only", async () => {
    const write = (text: string) => `import { writeSync } from "node:fs"; writeSync(3, ${JSON.stringify(text)});`;
    expect((await runner.run({ script: `${write("nonsense\n")} export default 1` })).result).toBe(1);
    expect((await runner.run({ script: `${write('{"kind":"value","json":"{"}\n')} process.exit(0)` })).error?.code).toBe(
      "E_RUN_FAILED",
    );
    const flood = `import { writeSync } from "node:fs"; for (let i = 0; i < 40; i++) writeSync(3, Buffer.alloc(1e6, 120)); export default 1`;
    expect((await runner.run({ script: flood })).error).toMatchObject({
      code: "E_RUN_LIMIT",
      message: expect.stringContaining("too large"),
    });
  });
});

onLinux("a script in a namespace", () => {
  const runScript = (script: string) => createRunner(fixture.store, { holding: "namespace" }).run({ script });

  test("cannot write to a tree, whatever user runs it", async () => {
    const { result } = await runScript(`import * as fs from "node:fs"; import { spawnSync } from "node:child_process";
      const file = fs.realpathSync("node_modules/greeter/index.js"); const failed = [];
      const attempt = (what) => { try { what(); failed.push("written") } catch (e) { failed.push(e.code) } };
      attempt(() => fs.writeFileSync(file, "x"));
      attempt(() => fs.chmodSync(file, 0o777));
      attempt(() => fs.rmSync(file));
      attempt(() => fs.writeFileSync(fs.realpathSync("node_modules") + "/evil", "x"));
      attempt(() => fs.writeFileSync(${JSON.stringify(join(fixture.store.layout.state, "x"))}, "x"));
      for (const command of ["umount " + file, "mount -o remount,rw,bind ${fixture.store.directory}", "umount -l ${fixture.store.directory}"])
        failed.push(spawnSync("sh", ["-c", command]).status === 0 ? "done" : "EPERM");
      export default failed;`);
    expect(result).toEqual(["EROFS", "EROFS", "EROFS", "EROFS", "EROFS", "EPERM", "EPERM", "EPERM"]);
  });

  test("sees no process but its own, and no control plane's files", async () => {
    const control = join(fixture.store.directory, "control");
    await mkdir(control, { recursive: true });
    await writeFile(join(control, "admin-token"), "ldr_admin_canary");
    const { result } = await runScript(`import { readdirSync } from "node:fs";
      export default [readdirSync("/proc").filter((n) => /^\\d+$/.test(n)).length, readdirSync(${JSON.stringify(control)})]`);
    const [processes, files] = result as [number, string[]];
    expect(processes).toBeLessThan(6);
    expect(files).toEqual([]);
  });
});

onLinux.each(["namespace", "marks"] as const)("the end of the process that runs a script (%s)", (holding) => {
  test("is the script's end too, and the next sweep finds nothing alive", async () => {
    const program = `import { openHostStore } from ${JSON.stringify(join(import.meta.dir, "../host/index.ts"))};
      import { createRunner } from ${JSON.stringify(join(import.meta.dir, "index.ts"))};
      const store = await openHostStore({ directory: ${JSON.stringify(fixture.store.directory)} });
      await createRunner(store, { holding: ${JSON.stringify(holding)} }).run({ script: "console.log('up'); for (;;) {}", onOutput: () => process.stdout.write("up") });`;
    const agent = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    await once(agent.stdout, "data");
    const run = (await descendantsOf(agent.pid as number)).map(({ pid }) => pid);
    expect(run.length).toBeGreaterThan(0);
    agent.kill("SIGKILL");
    await until("nothing of it runs", async () => !(await listProcesses()).some(({ pid }) => run.includes(pid)), {
      timeoutMs: 5000,
    });
    await fixture.sweep();
    expect(await readdir(runsFolder(fixture.store))).toEqual([]);
  });
});

test("bins and settings that packages bring change nothing, and their install scripts never ran", async () => {
  const { stdout, error } = await createRunner(fixture.store).run({
    script: `import { spawnSync } from "node:child_process"; import "booby-trap"; import { existsSync } from "node:fs";
      console.log(spawnSync("sh", ["-c", "command -v git || echo none"]).stdout.toString().includes("node_modules"), existsSync("/tmp/larder-booby-trap"))`,
  });
  expect(error).toBeNull();
  expect(stdout).toBe("false false\n");
});

/** Nothing that tests here start goes by another name, and nobody's home is a run's. */
async function expectNothingLeft(): Promise<void> {
  const left = async () => {
    const found: string[] = [];
    for (const { pid, command } of await listProcesses()) {
      const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      if (environment.includes(`HOME=${fixture.store.directory}/`) || /sleep 471\d|cat \/dev\/zero/.test(command))
        found.push(command);
    }
    return found;
  };
  await until("no process is left", async () => (await left()).length === 0, { timeoutMs: 5000 });
  expect(await readdir(runsFolder(fixture.store))).toEqual([]);
  expect((await readdir(fixture.store.layout.leases)).filter((name) => !name.endsWith(".sock"))).toEqual([]);
}
