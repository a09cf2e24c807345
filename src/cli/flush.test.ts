import { expect, test } from "bun:test";
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
