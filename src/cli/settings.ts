import { defaultEnvironment } from "../contract/bare.ts";
import { s3SettingDescriptions } from "./s3-settings.ts";
import type { Settings } from "./settings-schema.ts";

export type SettingName = keyof Settings;

export interface SettingDescription {
  flag: string;
  /** The flag's argument; absent for a switch. */
  argument?: string;
  description: string;
  fallback?: string;
  secret?: true;
}

export const settingDescriptions: Record<SettingName, SettingDescription> = {
  dataDir: { flag: "data-dir", argument: "DIR", description: "where Larder keeps its data", fallback: ".larder" },
  listen: {
    flag: "listen",
    argument: "HOST:PORT",
    description: "address to listen on; port 0 picks one",
    fallback: "127.0.0.1:7420",
  },
  server: {
    flag: "server",
    argument: "URL",
    description: "address of the server; found in the data directory when it runs there",
  },
  token: {
    flag: "token",
    argument: "TOKEN",
    description: "token for the server; better in LARDER_TOKEN than here",
    secret: true,
  },
  environment: { flag: "environment", argument: "NAME", description: "environment to act on", fallback: defaultEnvironment },
  json: { flag: "json", description: "print one JSON value", fallback: "false" },
  yes: { flag: "yes", description: "do not ask before something is destroyed", fallback: "false" },
  logLevel: { flag: "log-level", argument: "LEVEL", description: "debug, info, warn, error or silent", fallback: "warn" },
  registry: {
    flag: "registry",
    argument: "URL",
    description: "npm registry to resolve from",
    fallback: "https://registry.npmjs.org/",
  },
  databaseUrl: {
    flag: "database-url",
    argument: "URL",
    description: "PostgreSQL to keep state in, instead of the embedded database",
    secret: true,
  },
  metricsListen: {
    flag: "metrics-listen",
    argument: "HOST:PORT",
    description: "serve /metrics there without a token; absent: only at the server's address, with a token of role metrics",
  },
  drainDelay: {
    flag: "drain-delay",
    argument: "TIME",
    description: "how long a stopping server says that it is not ready and serves on, for a load balancer to notice",
    fallback: "0",
  },
  drainTimeout: {
    flag: "drain-timeout",
    argument: "TIME",
    description: "how long requests under way may then take to finish",
    fallback: "10s",
  },
  hostLimits: {
    flag: "host-limits",
    argument: "LIMITS",
    description: "how much hosts may ask of this replica in a second; absent: check-ins=4000,reports=1000,blobs=1000,joins=50",
  },
  blobStore: {
    flag: "blob-store",
    argument: "NAME",
    description:
      "fs, postgres, s3 or the module's; absent: where blobs are already, at first fs, or postgres with a database URL",
  },
  blobStoreModule: {
    flag: "blob-store-module",
    argument: "NAME=MODULE",
    description: "one more blob store, by a package or file with a driver of your own; see docs/storage.md",
  },
  ...s3SettingDescriptions,
  platforms: {
    flag: "platforms",
    argument: "LIST",
    description: "platforms to stock besides those of enrolled hosts, e.g. linux-x64,linux-arm64-musl; absent: this machine's",
    fallback: "",
  },
  platform: { flag: "platform", argument: "PLATFORM", description: "what this host is, when it is not what it looks like" },
  pollInterval: {
    flag: "poll-interval",
    argument: "TIME",
    description: "how often a host asks for news; about a quarter as often while events reach it",
    fallback: "15s",
  },
  treeGrace: {
    flag: "tree-grace",
    argument: "TIME",
    description: "how long a host keeps trees that nothing needs, besides the current one and the one before",
    fallback: "0",
  },
  storeQuota: {
    flag: "store-quota",
    argument: "BYTES",
    description: "above it a host removes trees that nothing needs before their grace has passed",
  },
  scrubRate: {
    flag: "scrub-rate",
    argument: "BYTES",
    description: "how much a host reads each second when it looks at all its files, once a day; 0: never",
    fallback: "8MiB",
  },
  allowRuns: {
    flag: "allow-runs",
    argument: "YES-OR-NO",
    description: "whether users of the server may send scripts to this host; only that of `up` allows it by itself",
  },
  collectEvery: {
    flag: "collect-every",
    argument: "TIME",
    description: "how often servers delete blobs that nothing refers to, or `off`",
    fallback: "6h",
  },
  collectGrace: {
    flag: "collect-grace",
    argument: "TIME",
    description: "how long such blobs stay from when they were last referred to",
    fallback: "24h",
  },
  collectKeep: {
    flag: "collect-keep",
    argument: "N",
    description: "generations to keep besides the current one of each environment",
    fallback: "1",
  },
  adminToken: {
    flag: "admin-token",
    argument: "TOKEN",
    description: "admin token of replicas that share no data directory; better in LARDER_ADMIN_TOKEN than here",
    secret: true,
  },
  secretKey: {
    flag: "secret-key",
    argument: "KEY",
    description: "32 bytes in base64 or hex that replicas seal secrets with; better in LARDER_SECRET_KEY than here",
    secret: true,
  },
};
export const settingNames = Object.keys(settingDescriptions) as SettingName[];
export const variableOf = (name: SettingName): string =>
  `LARDER_${settingDescriptions[name].flag.toUpperCase().replaceAll("-", "_")}`;
