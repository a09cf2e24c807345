import { z } from "zod";
import { environmentNameSchema } from "./ids.ts";
import { blobKeySchema, lockfileHashSchema } from "./integrity.ts";

export const typesFormat = 1;

/**
 * What a specifier came to.
 *
 * `typed` its declarations and all that they refer to are in the answer · `cutOff` they are more than one answer carries: what is nearest is there ·
 * `pending` they are being cut from the tarball: ask again · `noTypes` the package has none, nor does a companion · `noSuchPath` the package does not
 * offer this path · `notAllowlisted` · `notInstalled` allowlisted, but not in this generation: an install is due · `notAPackage` a relative path, an
 * address, or no name at all.
 */
export const typesStatuses = [
  "typed",
  "cutOff",
  "pending",
  "noTypes",
  "noSuchPath",
  "notAllowlisted",
  "notInstalled",
  "notAPackage",
] as const;
export type TypesStatus = (typeof typesStatuses)[number];

export const specifierTypesSchema = z.object({
  /** As it was asked for. */
  specifier: z.string(),
  status: z.enum(typesStatuses),
  /** Where its declarations come from, `name@version`: the package, its `@types` companion, or `@types/node` for a module of Node's own. */
  package: z.string().optional(),
  /** The file that describes it, below the root of the answer. */
  entry: z.string().optional(),
  /** The way to types, for whoever writes the script. */
  hint: z.string().optional(),
});
export type SpecifierTypes = z.infer<typeof specifierTypesSchema>;

/** One package at one place. The same package at two places has one bundle. */
export const placedTypesSchema = z.object({
  /** Where its files go, `/`-separated: `node_modules/zod`, `node_modules/a/node_modules/b`. */
  path: z.string(),
  /** `name@version`. */
  package: z.string(),
  /** See `typesBundleSchema`. */
  bundle: blobKeySchema,
  /** Those of its files that are needed, below `path`; `package.json` is among them. */
  files: z.array(z.string()),
});
export type PlacedTypes = z.infer<typeof placedTypesSchema>;

/** The declarations behind some specifiers: which files, where, and from which bundles. */
export const typesIndexSchema = z.object({
  format: z.literal(typesFormat),
  environment: environmentNameSchema,
  /** 0: nothing was installed yet. */
  generation: z.number().int().nonnegative(),
  lockfileHash: lockfileHashSchema.optional(),
  /** False: the same question may have another answer later, with nothing installed in between. */
  final: z.boolean(),
  specifiers: z.array(specifierTypesSchema),
  packages: z.array(placedTypesSchema),
  /** TypeScript's own libraries that the declarations name by `/// <reference lib>`: `es2020`, `dom`. */
  libs: z.array(z.string()),
  /** Packages that the declarations refer to and that are not in this generation: what comes from them is `any`. */
  missing: z.array(z.string()),
  totals: z.object({ packages: z.number().int(), files: z.number().int(), bytes: z.number().int() }),
  /** There when something was left out: what one answer carries. */
  limit: z.object({ files: z.number().int(), bytes: z.number().int() }).optional(),
});
export type TypesIndex = z.infer<typeof typesIndexSchema>;

/**
 * All declarations of one package, and its `package.json` files. Its key is the SHA-512 of its own bytes, so it never changes. Files with the same text
 * share it: `files[path]` is a place in `texts`.
 */
export const typesBundleSchema = z.object({
  format: z.literal(typesFormat),
  files: z.record(z.string(), z.number().int().nonnegative()),
  texts: z.array(z.string()),
  /** It has more than is cut from one package. */
  truncated: z.literal(true).optional(),
});
export type TypesBundle = z.infer<typeof typesBundleSchema>;

/** Specifiers in one question. */
export const maxTypesSpecifiers = 50;
