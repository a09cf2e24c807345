import { z } from "zod";
import { LarderError } from "./larder-error.ts";

/** An npm package name that is safe as a path below `node_modules` and in a registry address. */
export type PackageName = string & { readonly __brand: "PackageName" };

const maxLength = 214;
const scoped = /^(?:@[a-z0-9~_-][a-z0-9~._-]*\/)?[a-z0-9~_-][a-z0-9~._-]*$/i;
const reserved = new Set(["node_modules", "favicon.ico"]);

/**
 * The grammar of npm's `validate-npm-package-name`, without the oddities that only old packages use: URL-safe characters, an
 * optional scope, at most 214 characters. Upper case passes (old packages such as `JSONStream` have it).
 */
export const isPackageName = (value: string): value is PackageName =>
  value.length <= maxLength && scoped.test(value) && !reserved.has(value.toLowerCase());

/** Throws `E_NAME`. Used at every parser and again at every path join. */
export function parsePackageName(value: string): PackageName {
  if (isPackageName(value)) return value;
  throw new LarderError("E_NAME", `${JSON.stringify(value.slice(0, 300))} is not an npm package name.`, {
    hint: "A name is lower-case letters, digits, '-', '_' and '.', with an optional @scope/ in front.",
  });
}

/** `@scope` of a scoped name, with its `@`. */
export const scopeOf = (name: PackageName): string | undefined =>
  name.startsWith("@") ? name.slice(0, name.indexOf("/")) : undefined;

export const packageNameSchema = z
  .string()
  .refine(isPackageName, "not an npm package name")
  .transform((name) => name as PackageName);
