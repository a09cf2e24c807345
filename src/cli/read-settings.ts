import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { LarderError } from "../contract/bare.ts";
import { type SettingName, settingDescriptions, settingNames, variableOf } from "./settings.ts";
import { type Settings, settingsSchema } from "./settings-schema.ts";

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
  // Compiling a parser that is used once takes longer than doing without.
  const parsed = settingsSchema.safeParse(raw, { jitless: true });
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
