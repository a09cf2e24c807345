import { existsSync } from "node:fs";
import { LarderError } from "../contract/bare.ts";
import type { HostStore } from "../host/index.ts";
import type { CommandContext } from "./command.ts";

/** The host store in the data directory. `E_NOT_FOUND` when the directory is missing: a mistyped name must not make a new store. */
export async function openExistingStore({ settings, logger }: CommandContext): Promise<HostStore> {
  if (!existsSync(settings.dataDir)) {
    throw new LarderError("E_NOT_FOUND", `There is no data directory ${settings.dataDir}.`, {
      hint: "Name it with --data-dir DIR, or make it with `larder up`.",
    });
  }
  const { openHostStore } = await import("../host/index.ts");
  return openHostStore({ directory: settings.dataDir, logger, ...(settings.platform && { platform: settings.platform }) });
}
