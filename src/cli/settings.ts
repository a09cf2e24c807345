import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import {
  defaultEnvironment,
  type EnvironmentName,
  environmentNameSchema,
  LarderError,
  type Platform,
  parsePlatform,
} from "../contract/index.ts";
import { parseDuration, parseListenAddress } from "./setting-values.ts";

/** The schema of one setting: from the text of a flag, variable or file to its value. */
const settingsSchema = z.object({
  dataDir: z.string().min(1, "is empty"),
  listen: parsedBy(parseListenAddress),
  server: parsedBy(parseHttpUrl).optional(),
  token: z.string().regex(/^\S+$/, "is empty or holds white space").optional(),
  environment: parsedBy(parseEnvironmentName),
  json: parsedBy(parseBoolean),
  yes: parsedBy(parseBoolean),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"], "is none of debug, info, warn, error and silent"),
  registry: parsedBy(parseHttpUrl),
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "is not a postgres:// address")
    .optional(),
  blobStore: z.enum(["fs", "postgres"], "is neither fs nor postgres").optional(),
  platforms: parsedBy((text) => text.split(",").filter(Boolean).map(parseOnePlatform)),
  platform: parsedBy(parseOnePlatform).optional(),
  pollInterval: parsedBy(parseDuration),
  adminToken: z
    .string()
    .regex(/^ldr_admin_\S{20,}$/, "is not an admin token (ldr_admin_…)")
    .optional(),
  secretKey: z
    .string()
    .regex(/^\S{43,64}$/, "is not 32 bytes in base64 or hex")
    .optional(),
});
export type Settings = z.infer<typeof settingsSchema>;
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
  blobStore: {
    flag: "blob-store",
    argument: "DRIVER",
    description: "fs or postgres; fs, or postgres when there is a database URL",
  },
  platforms: {
    flag: "platforms",
    argument: "LIST",
    description: "platforms to stock besides those of enrolled hosts, e.g. linux-x64,linux-arm64-musl",
    fallback: "",
  },
  platform: { flag: "platform", argument: "PLATFORM", description: "what this host is, when it is not what it looks like" },
  pollInterval: { flag: "poll-interval", argument: "TIME", description: "how often a host asks for news", fallback: "30s" },
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

const configFileName = "larder.config.json";

interface Candidate {
  text: string;
  source: string;
  /** The flag's own user is at the keyboard; a variable or a file was set up earlier. */
  code: "E_INPUT" | "E_CONFIG";
  /** What relative paths are relative to. */
  base: string;
}

/** Flags over `LARDER_*` variables over `larder.config.json` in the working directory. The only reader of any of them. */
export function readSettings(input: {
  flags: Record<string, unknown>;
  environment: Record<string, string | undefined>;
  cwd: string;
}): Settings {
  const configFile = readConfigFile(resolve(input.cwd, configFileName));
  const candidates: Partial<Record<SettingName, Candidate>> = {};
  const raw: Partial<Record<SettingName, string>> = {};
  for (const name of settingNames) {
    const candidate = fromFlag(name, input) ?? fromVariable(name, input) ?? fromFile(name, configFile);
    const text = candidate?.text ?? settingDescriptions[name].fallback;
    if (text !== undefined) raw[name] = text;
    if (candidate) candidates[name] = candidate;
  }
  const parsed = settingsSchema.safeParse(raw);
  if (!parsed.success) throw invalidSetting(parsed.error.issues, candidates);
  return { ...parsed.data, dataDir: resolve(candidates.dataDir?.base ?? input.cwd, parsed.data.dataDir) };
}

function fromFlag(name: SettingName, { flags, cwd }: { flags: Record<string, unknown>; cwd: string }): Candidate | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  return { text: String(value), source: `--${settingDescriptions[name].flag}`, code: "E_INPUT", base: cwd };
}

function fromVariable(
  name: SettingName,
  { environment, cwd }: { environment: Record<string, string | undefined>; cwd: string },
): Candidate | undefined {
  const value = environment[variableOf(name)];
  // An empty variable is how a shell or a compose file says "not set".
  if (value === undefined || value === "") return undefined;
  return { text: value, source: variableOf(name), code: "E_CONFIG", base: cwd };
}

interface ConfigFile {
  path: string;
  values: Record<string, unknown>;
}

function fromFile(name: SettingName, file: ConfigFile | undefined): Candidate | undefined {
  const value = file?.values[name];
  if (file === undefined || value === undefined) return undefined;
  const source = `"${name}" in ${file.path}`;
  if (typeof value === "object" && !(Array.isArray(value) && value.every((item) => typeof item === "string"))) {
    throw new LarderError(
      "E_CONFIG",
      `${source} is ${Array.isArray(value) ? "a list of more than texts" : "not a plain value"}.`,
      {
        hint: "Write a text, a number, true or false.",
      },
    );
  }
  return { text: String(value), source, code: "E_CONFIG", base: dirname(file.path) };
}

function readConfigFile(path: string): ConfigFile | undefined {
  if (!existsSync(path)) return undefined;
  let values: unknown;
  try {
    values = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new LarderError("E_CONFIG", `${path} cannot be read as JSON: ${(error as Error).message}.`, {
      hint: "Mend the file, or remove it.",
    });
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new LarderError("E_CONFIG", `${path} holds no JSON object.`, { hint: `Write {"${settingNames[0]}": …}.` });
  }
  const unknown = Object.keys(values).find((key) => !Object.hasOwn(settingDescriptions, key));
  if (unknown !== undefined) {
    throw new LarderError("E_CONFIG", `${path} has a setting that does not exist: ${JSON.stringify(unknown)}.`, {
      hint: `The settings are ${settingNames.join(", ")}.`,
    });
  }
  return { path, values: values as Record<string, unknown> };
}

function invalidSetting(issues: z.core.$ZodIssue[], candidates: Partial<Record<SettingName, Candidate>>): LarderError {
  const issue = issues[0]!;
  const name = issue.path[0] as SettingName;
  const candidate = candidates[name];
  const { secret, argument, flag } = settingDescriptions[name];
  const shown = secret ? "its value" : JSON.stringify(candidate?.text.slice(0, 200));
  return new LarderError(
    candidate?.code ?? "E_CONFIG",
    `The setting ${name} (from ${candidate?.source}) is not valid: ${shown} ${issue.message}.`,
    {
      hint: `Give ${argument ?? "true or false"} by --${flag}, ${variableOf(name)} or "${name}" in ${configFileName}.`,
    },
  );
}

function parsedBy<T>(parse: (text: string) => T) {
  return z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: `is ${(error as Error).message}` });
      return z.NEVER;
    }
  });
}

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

function parseHttpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new Error("not an http:// or https:// address");
}

function parseBoolean(text: string): boolean {
  if (["true", "1", "yes"].includes(text.toLowerCase())) return true;
  if (["false", "0", "no"].includes(text.toLowerCase())) return false;
  throw new Error("neither true nor false");
}
