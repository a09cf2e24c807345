import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

test("a long answer goes through a pipe whole, however slowly it is read", async () => {
  const script = `
    const { openProcessTerminal } = await import(${JSON.stringify(join(import.meta.dir, "terminal.ts"))});
    const terminal = openProcessTerminal();
    terminal.out("x".repeat(3_000_000));
    await terminal.flush();
    process.exit(0);`;
  await using child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  let length = 0;
  for await (const chunk of child.stdout) {
    length += chunk.length;
    if (length < 300_000) await Bun.sleep(20);
  }
  expect([await child.exited, length]).toEqual([0, 3_000_000]);
});

test.skipIf(!existsSync("/dev/full"))("an answer that a full disk does not take is an error, and no wait", async () => {
  const main = join(import.meta.dir, "main.ts");
  await using child = Bun.spawn(["sh", "-c", 'exec "$0" "$1" --help > /dev/full', process.execPath, main], { stderr: "pipe" });
  const [exitCode, err] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  expect([exitCode, err]).toEqual([7, expect.stringContaining("could not be written: ENOSPC")]);
});
