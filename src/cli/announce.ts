import { join } from "node:path";
import type { CommandContext } from "./command.ts";
import { styleFor } from "./render/style.ts";

/** The one line on standard output that says that a server is ready. */
export function announce({ settings, terminal }: CommandContext, what: string, url: URL | string): void {
  const address = new URL(url).origin;
  if (settings.json) {
    terminal.out(`${JSON.stringify({ address, dataDir: settings.dataDir, pid: process.pid })}\n`);
    return;
  }
  const { bold } = styleFor(terminal.outIsTTY, terminal.environment);
  const token = settings.adminToken === undefined ? join(settings.dataDir, "control", "admin-token") : "LARDER_ADMIN_TOKEN";
  terminal.out(`${what} at ${bold(address)}; the admin token is in ${token}\n`);
}
