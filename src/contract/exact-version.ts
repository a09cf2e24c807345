import { z } from "zod";
import { LarderError } from "./larder-error.ts";

/** One exact semantic version (semver.org 2.0.0), no range, no `v` in front. */
export type ExactVersion = string & { readonly __brand: "ExactVersion" };

const number = "(?:0|[1-9]\\d{0,15})";
const prerelease = "(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)";
const grammar = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-${prerelease}(?:\\.${prerelease})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

export const isExactVersion = (value: string): value is ExactVersion => value.length <= 256 && grammar.test(value);

/** Throws `E_VERSION`. */
export function parseExactVersion(value: string): ExactVersion {
  if (isExactVersion(value)) return value;
  throw new LarderError("E_VERSION", `${JSON.stringify(value.slice(0, 300))} is not an exact version.`, {
    hint: "Give one version such as 4.17.21; ranges and tags are not pins.",
  });
}

export const exactVersionSchema = z
  .string()
  .refine(isExactVersion, "not an exact version")
  .transform((v) => v as ExactVersion);
