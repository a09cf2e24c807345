import { commands } from "../commands.ts";
import { runCli } from "../run-cli.ts";
import type { Terminal } from "../terminal.ts";
import { createTestTerminal, type TestTerminal } from "./test-terminal.ts";

export interface CommandRun {
  exitCode: number;
  out: string;
  err: string;
}

/** Runs a command line in this process. */
export async function runCommand(argv: string[], given: Parameters<typeof createTestTerminal>[0] = {}): Promise<CommandRun> {
  const terminal = createTestTerminal(given);
  return { exitCode: await runOn(terminal, argv), ...terminal.written };
}

export const runOn = async (terminal: Terminal & Pick<TestTerminal, "written">, argv: string[]): Promise<number> =>
  runCli(argv, terminal, { commands, version: "0.0.0" });
