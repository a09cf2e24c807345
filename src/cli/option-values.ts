import { Option } from "commander";
import { LarderError } from "../contract/index.ts";
import { parseDuration } from "./setting-values.ts";

// Parsers for commander's arguments and options: text in, value out, E_INPUT that names the option.

export const parseCount =
  (name: string, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= 1 && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? "from 1" : `from 1 to ${max}`;
    throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text)}, not a whole number ${range}.`);
  };

export const parseTime =
  (name: string) =>
  (text: string): number => {
    try {
      return parseDuration(text);
    } catch (error) {
      throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text)}, ${(error as Error).message}.`);
    }
  };

export const parseJson =
  (name: string) =>
  (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new LarderError("E_INPUT", `${name} is not JSON: ${(error as Error).message}.`, {
        hint: `Quote it for the shell: ${name} '{"key": "value"}'`,
      });
    }
  };

/** For a repeatable option: each `K=V` joins those before it. */
export const parseVariable =
  (name: string) =>
  (text: string, previous: Record<string, string> = {}): Record<string, string> => {
    const [, key, value] = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text) ?? [];
    if (key !== undefined && value !== undefined) return { ...previous, [key]: value };
    throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text)}, not NAME=VALUE.`);
  };

/** `--timeout`, five minutes when it is not given. */
export const timeoutOption = (description: string): Option =>
  new Option("--timeout <time>", description).argParser(parseTime("--timeout")).default(300_000, "5m");
