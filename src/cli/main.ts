import { commands } from "./commands.ts";
import { runCli } from "./run-cli.ts";
import { openProcessTerminal } from "./terminal.ts";
import { version } from "./version.ts";

const terminal = openProcessTerminal();
const exitCode = await runCli(process.argv.slice(2), terminal, { commands, version });
await terminal.flush();
// An open keep-alive connection must not hold the process back.
process.exit(exitCode);
