import { createLogger } from "../lib/bare.ts";
import type { CommandContext } from "./command.ts";
import { readSettings } from "./read-settings.ts";
import type { Terminal } from "./terminal.ts";

/** What a command runs with. Throws for settings that are wrong. Loaded when there is a command to run: help needs neither schemas nor a log. */
export function createContext(flags: Record<string, unknown>, terminal: Terminal): CommandContext {
  const settings = readSettings({ flags, environment: terminal.environment, cwd: terminal.cwd });
  return { settings, terminal, logger: createLogger(settings.logLevel) };
}
