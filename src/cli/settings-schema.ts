import { z } from "zod";
import { type EnvironmentName, environmentNameSchema, type Platform, parsePlatform } from "../contract/for-hosts.ts";
import { parseHostLimits } from "./host-limits.ts";
import { parsedBy } from "./parsed-by.ts";
import { s3SettingsShape } from "./s3-settings-shape.ts";
import { parseAgeText, parseBoolean, parseByteCount, parseDuration, parseHttpUrl, parseListenAddress } from "./setting-values.ts";

/** The schema of one setting: from the text of a flag, variable or file to its value. */
export const settingsSchema = z.object({
  dataDir: z.string().min(1, "is empty"),
  listen: parsedBy(parseListenAddress),
  metricsListen: parsedBy(parseListenAddress).optional(),
  drainDelay: parsedBy(parseAgeText),
  drainTimeout: parsedBy(parseAgeText),
  hostLimits: parsedBy(parseHostLimits).optional(),
  server: parsedBy(parseHttpUrl).optional(),
  token: z
    .string()
    .regex(/^[\x21-\x7e]+$/, "is empty, or holds white space or what no token has")
    .optional(),
  environment: parsedBy(parseEnvironmentName),
  json: parsedBy(parseBoolean),
  yes: parsedBy(parseBoolean),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"], "is none of debug, info, warn, error and silent"),
  registry: parsedBy(parseHttpUrl),
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "is not a postgres:// address")
    .optional(),
  blobStore: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "is not the name of a blob store")
    .optional(),
  blobStoreModule: parsedBy(parseModuleStore).optional(),
  ...s3SettingsShape,
  platforms: parsedBy((text) => text.split(",").filter(Boolean).map(parseOnePlatform)),
  platform: parsedBy(parseOnePlatform).optional(),
  pollInterval: parsedBy(parseDuration),
  treeGrace: parsedBy(parseAgeText),
  storeQuota: parsedBy(parseByteCount).optional(),
  scrubRate: parsedBy(parseByteCount),
  allowRuns: parsedBy(parseBoolean).optional(),
  collectEvery: parsedBy((text) => (["off", "never"].includes(text.toLowerCase()) ? undefined : parseDuration(text))),
  collectGrace: parsedBy(parseAgeText),
  collectKeep: parsedBy(parseWhole),
  adminToken: z
    .string()
    .regex(/^ldr_admin_\S{20,}$/, "is not an admin token (ldr_admin_…)")
    .optional(),
  secretKey: z
    .string()
    .regex(/^\S{43,64}(?:,\S{43,64})*$/, "is not 32 bytes in base64 or hex, or several of these with commas between")
    .optional(),
});
export type Settings = z.infer<typeof settingsSchema>;

function parseEnvironmentName(text: string): EnvironmentName {
  const name = environmentNameSchema.safeParse(text);
  if (name.success) return name.data;
  throw new Error("not 1 to 64 lower-case letters, digits and '-'");
}

function parseOnePlatform(text: string): Platform {
  try {
    return parsePlatform(text.trim());
  } catch {
    throw new Error("not of the form OS-CPU or OS-CPU-LIBC, such as linux-x64-glibc");
  }
}

function parseWhole(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new Error("not a whole number from 0 to 9999");
}

function parseModuleStore(text: string): { name: string; specifier: string } {
  const match = /^([a-z0-9][a-z0-9_-]{0,31})=(.+)$/.exec(text);
  const [, name = "", specifier = ""] = match ?? [];
  if (match && !["fs", "postgres", "s3", "memory"].includes(name)) return { name, specifier };
  throw new Error("not NAME=MODULE with a name of your own");
}
