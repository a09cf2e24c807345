import { Option } from "commander";
import { LarderError } from "../contract/bare.ts";
import { parseAgeText, parseDuration } from "./setting-values.ts";

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

/** A whole number from 0. */
export const parseWhole =
  (name: string) =>
  (text: string): number => {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text)}, not a whole number from 0.`);
  };

/** Also 0, and days; a bare number could be meant as days or as seconds. In milliseconds. */
export const parseAge =
  (name: string) =>
  (text: string): number => {
    try {
      if (/^[1-9]\d*$/.test(text.trim())) throw new Error(`without a unit: ${text.trim()}d, ${text.trim()}h or ${text.trim()}m?`);
      return parseAgeText(text);
    } catch (error) {
      throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text)}, ${(error as Error).message}.`);
    }
  };

/** An age as a time ahead, or a date. In milliseconds from now. */
export const parseExpiry =
  (name: string) =>
  (text: string): number => {
    if (!/^\d{4}-\d\d-\d\d/.test(text)) return parseAge(name)(text);
    const aheadMs = Date.parse(text) - Date.now();
    if (aheadMs > 0) return aheadMs;
    const trouble = Number.isNaN(aheadMs) ? "not a time" : "which is past";
    throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text)}, ${trouble}.`, {
      hint: "Give a time from now such as 30d, or a date such as 2030-01-31.",
    });
  };

const rateUnits: Record<string, number> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

/** `500kB`, `20MB`, `1GB`, also with `/s` behind; in bytes. */
export const parseRate =
  (name: string) =>
  (text: string): number => {
    const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([kmg]?)b?(?:\/s)?$/i.exec(text.trim());
    const bytes = Math.round(Number(match?.[1]) * (rateUnits[match?.[2]?.toLowerCase() ?? ""] ?? Number.NaN));
    if (match && bytes >= 1024) return bytes;
    throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text)}, not bytes per second such as 500kB or 20MB.`);
  };

export const rateOption = (description: string): Option =>
  new Option("--rate <bytes>", description).argParser(parseRate("--rate"));

export const parallelOption = (): Option =>
  new Option("--parallel <n>", "how many blobs at a time (default: 4)").argParser(parseCount("--parallel", 32));
