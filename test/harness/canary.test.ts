import { expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { findInFiles, watchProcesses } from "./canary.ts";
import { spawnProcess } from "./spawned.ts";
import { openTempDir } from "./temp-dir.ts";
import { testUnless } from "./test-unless.ts";
import { until } from "./until.ts";

test("a secret in a file is found, however deep and whatever is around it", async () => {
  await using directory = await openTempDir("canary");
  await mkdir(directory.join("a/b"), { recursive: true });
  await writeFile(
    directory.join("a/b/bytes"),
    Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from("canary-1"), Buffer.from([0])]),
  );
  await writeFile(directory.join("other"), "nothing");
  expect(await findInFiles(directory.path, ["canary-1", "canary-2"])).toEqual([directory.join("a/b/bytes")]);
});

testUnless(
  process.platform === "linux" ? undefined : "no /proc",
  "a secret in an environment or an argument is found",
  async () => {
    await using watch = watchProcesses(["canary-in-environment", "canary-in-argument"], { except: [process.pid] });
    await using one = spawnProcess("sleep", ["60"], { env: { SECRET: "canary-in-environment" } });
    await using two = spawnProcess("sh", ["-c", "sleep 60; : canary-in-argument"]);
    await until("both are seen", () => watch.found().length >= 2);
    expect(watch.found()).toContain(`/proc/${one.pid}/environ`);
    expect(watch.found()).toContain(`/proc/${two.pid}/cmdline`);
  },
);
