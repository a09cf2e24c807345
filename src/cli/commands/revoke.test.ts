import { expect, test } from "bun:test";
import { host, operation } from "../testing/fake-answers.ts";
import { runOn } from "../testing/run-command.ts";
import { createTestTerminal } from "../testing/test-terminal.ts";
import { useDataDirectory } from "../testing/use-data-directory.ts";

const given = useDataDirectory();

test("revoke waits for hosts that are heard of, and says how many are not", async () => {
  given.server.state.hosts = [host("a"), host("b", { generation: 1, state: "silent" })];
  const { exitCode, out } = await given.larder("revoke left-pad@1.3.1 --yes");
  expect(exitCode).toBe(0);
  expect(out).toContain("generation 2 is without it, and 1 host serves it. 1 host is silent and follows when it is back.");
});

async function interrupted(): Promise<string> {
  const terminal = createTestTerminal();
  setTimeout(terminal.interrupt, 300);
  expect(await runOn(terminal, ["revoke", "left-pad@1.3.1", "--yes", "--data-dir", given.dataDir])).toBe(130);
  return terminal.written.err;
}

test("revoke that is interrupted says what holds", async () => {
  given.server.state.hosts = [host("slow", { generation: 1 })];
  expect(await interrupted()).toContain(
    "No longer waiting. left-pad@1.3.1 is blocked everywhere. default: generation 2 is without it.",
  );
  given.server.state.steps = [operation("op_1", { state: "running" })];
  expect(await interrupted()).toContain("left-pad@1.3.1 is blocked everywhere. default: its install goes on at the server.");
});

test("revoke that is interrupted before the server has answered says that it does not know", async () => {
  const terminal = createTestTerminal();
  given.server.state.onRevoke = terminal.interrupt;
  expect(await runOn(terminal, ["revoke", "left-pad@1.3.1", "--yes", "--data-dir", given.dataDir])).toBe(130);
  expect(terminal.written.err).toContain("Interrupted before the server said whether left-pad@1.3.1 is blocked.");
});
