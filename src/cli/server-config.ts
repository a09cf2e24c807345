import { LarderError } from "../contract/bare.ts";
import { detectPlatform } from "../host/index.ts";
import { systemClock } from "../lib/index.ts";
import type { ServerConfig } from "../server/index.ts";
import type { CommandContext } from "./command.ts";
import { consoleOfThisCheckout } from "./console-source.ts";
import { moduleStores } from "./module-store.ts";
import { s3SettingDescriptions } from "./s3-settings.ts";
import type { SettingName } from "./settings.ts";

/** The settings that `up` and `serve` take besides the common ones. */
export const serverSettings: SettingName[] = [
  "listen",
  "metricsListen",
  "drainDelay",
  "drainTimeout",
  "hostLimits",
  "registry",
  "databaseUrl",
  "blobStore",
  "blobStoreModule",
  ...(Object.keys(s3SettingDescriptions) as SettingName[]),
  "platforms",
  "collectEvery",
  "collectGrace",
  "collectKeep",
  "adminToken",
  "secretKey",
];

export function serverConfigFrom({ settings, logger, terminal }: CommandContext): ServerConfig {
  const { databaseUrl, listen } = settings;
  return {
    dataDirectory: settings.dataDir,
    listen: { host: listen.hostname, port: listen.port },
    metricsListen: settings.metricsListen && { host: settings.metricsListen.hostname, port: settings.metricsListen.port },
    drain: { delayMs: settings.drainDelay, timeoutMs: settings.drainTimeout },
    limits: settings.hostLimits,
    database: databaseUrl === undefined ? "embedded" : { url: databaseUrl },
    blobStore: settings.blobStore,
    s3: s3From(settings),
    otherStores: moduleStores(settings.blobStoreModule, { cwd: terminal.cwd, dataDirectory: settings.dataDir }),
    registry: settings.registry,
    collect: collectFrom(settings),
    // Most fleets are of one kind, this machine's; hosts of another kind are stocked for when they appear.
    platforms: settings.platforms.length > 0 ? settings.platforms : [detectPlatform()],
    adminToken: settings.adminToken,
    secretKey: settings.secretKey,
    logger: logger.child({ part: "server" }),
    clock: systemClock,
    console: consoleOfThisCheckout,
  };
}

const collectFrom = ({ collectEvery, collectGrace, collectKeep }: CommandContext["settings"]): ServerConfig["collect"] =>
  collectEvery === undefined ? undefined : { everyMs: collectEvery, input: { graceMs: collectGrace, keep: collectKeep } };

function s3From(settings: CommandContext["settings"]): ServerConfig["s3"] {
  const { s3Bucket: bucket, s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = settings;
  if (bucket === undefined) return undefined;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new LarderError("E_CONFIG", "Of the s3 blob store's access key and secret key, only one was given.", {
      hint: "Give both of LARDER_S3_ACCESS_KEY_ID and LARDER_S3_SECRET_ACCESS_KEY, or neither.",
    });
  }
  return {
    bucket,
    endpoint: settings.s3Endpoint,
    region: settings.s3Region,
    prefix: settings.s3Prefix,
    pathStyle: settings.s3PathStyle,
    encryption: settings.s3Sse,
    linkSeconds: settings.s3Presign,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey, sessionToken: settings.s3SessionToken },
  };
}
