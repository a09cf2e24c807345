import { expect, test } from "bun:test";
import { assertNoProcesses, descendantsOf, processesAt } from "./leaks.ts";
import { killLeftProcesses, spawnProcess } from "./spawned.ts";
import { openTempDir } from "./temp-dir.ts";
import { until } from "./until.ts";

const shell = (script: string, cwd?: string) => spawnProcess("sh", ["-c", script], cwd === undefined ? {} : { cwd });

test("output and exit code are kept", async () => {
  await using spawned = shell("echo out; echo err >&2; read line; echo got $line; exit 3");
  spawned.write("input\n");
  expect(await spawned.exited).toEqual({ code: 3, signal: null });
  expect(spawned.stdout()).toBe("out\ngot input\n");
  expect(spawned.stderr()).toBe("err\n");
});

test("a command that does not exist is an error that names it", async () => {
  await using spawned = spawnProcess("/no/such/command", []);
  await expect(spawned.exited).rejects.toThrow("/no/such/command");
});

test("kill -9 reaches the process alone; disposal reaches what it started", async () => {
  await using dir = await openTempDir();
  {
    await using spawned = shell("sleep 100 & echo started; wait", dir.path);
    await until("it started", () => spawned.stdout() !== "");
    expect((await descendantsOf(spawned.pid)).map(({ command }) => command)).toEqual(["sleep 100"]);
    process.kill(spawned.pid, "SIGKILL");
    await until("the shell is gone", () => !spawned.isRunning());
    expect((await processesAt(dir.path)).map(({ command }) => command)).toEqual(["sleep 100"]);
    await expect(assertNoProcesses(dir.path)).rejects.toThrow("sleep 100");
  }
  await until("the orphan is gone", async () => (await processesAt(dir.path)).length === 0);
});

test("a process that ignores SIGTERM is killed, and that is an error", async () => {
  await using spawned = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
  await until("it is ready", () => spawned.stdout() !== "");
  await expect(spawned.stop(100)).rejects.toThrow("did not end within 100 ms");
});

test("what was left running is killed in one call", async () => {
  const spawned = shell("sleep 100");
  await killLeftProcesses();
  expect(spawned.isRunning()).toBe(false);
});

test("settings of the caller's own Larder do not reach a process", async () => {
  process.env.LARDER_SERVER = "http://elsewhere";
  try {
    await using spawned = spawnProcess("sh", ["-c", "echo $LARDER_SERVER-$LARDER_TOKEN"], { env: { LARDER_TOKEN: "given" } });
    await spawned.exited;
    expect(spawned.stdout()).toBe("-given\n");
  } finally {
    delete process.env.LARDER_SERVER;
  }
});
