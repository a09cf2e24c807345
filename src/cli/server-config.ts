import { detectPlatform } from "../host/index.ts";
import { systemClock } from "../lib/index.ts";
import type { ServerConfig } from "../server/index.ts";
import type { CommandContext } from "./command.ts";
import type { SettingName } from "./settings.ts";

/** The settings that `up` and `serve` take besides the common ones. */
export const serverSettings: SettingName[] = [
  "listen",
  "registry",
  "databaseUrl",
  "blobStore",
  "platforms",
  "collectEvery",
  "collectGrace",
  "collectKeep",
  "adminToken",
  "secretKey",
];

export function serverConfigFrom({ settings, logger }: CommandContext): ServerConfig {
  const { databaseUrl, listen } = settings;
  return {
    dataDirectory: settings.dataDir,
    listen: { host: listen.hostname, port: listen.port },
    database: databaseUrl === undefined ? "embedded" : { url: databaseUrl },
    // Replicas over one database share its blobs too; a folder of their own each would not do.
    blobStore: settings.blobStore ?? (databaseUrl === undefined ? "fs" : "postgres"),
    registry: settings.registry,
    collect: collectFrom(settings),
    // Most fleets are of one kind, this machine's; hosts of another kind are stocked for when they appear.
    platforms: settings.platforms.length > 0 ? settings.platforms : [detectPlatform()],
    adminToken: settings.adminToken,
    secretKey: settings.secretKey,
    logger: logger.child({ part: "server" }),
    clock: systemClock,
  };
}

const collectFrom = ({ collectEvery, collectGrace, collectKeep }: CommandContext["settings"]): ServerConfig["collect"] =>
  collectEvery === undefined ? undefined : { everyMs: collectEvery, input: { graceMs: collectGrace, keep: collectKeep } };
