import { writeSync } from "node:fs";
import { exitCodeOf } from "../contract/bare.ts";
import { commands } from "./commands.ts";
import { runCli } from "./run-cli.ts";
import { openProcessTerminal } from "./terminal.ts";
import { version } from "./version.ts";

const terminal = openProcessTerminal();
const exitCode = await runCli(process.argv.slice(2), terminal, { commands, version });
const lost = await terminal.flush();
if (lost) {
  writeSync(
    2,
    `error E_NO_SPACE: The answer could not be written: ${lost.message}.\nhint: Look at where standard output goes to.\n`,
  );
}
// An open keep-alive connection must not hold the process back.
process.exit(lost ? exitCodeOf("E_NO_SPACE") : exitCode);
