import { expect, test } from "bun:test";
import { runLarder, startServer } from "./processes.ts";
import { openTempDir } from "./temp-dir.ts";

test("a command runs to its end, and its output and exit code are there", async () => {
  const { code, stdout } = await runLarder(["--version"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test("an answer that is not JSON is an error that shows it", async () => {
  const help = await runLarder(["list", "--help"]);
  expect(() => help.json()).toThrow(/ended with 0 and not with one JSON value[\s\S]*Usage/);
});

test("a server that does not start says why", async () => {
  await using dir = await openTempDir();
  const starting = startServer("serve", { dataDir: dir.path, listen: "not-an-address" });
  await expect(starting).rejects.toThrow(/did not become ready[\s\S]*not-an-address/);
});
