import { z } from "zod";
import { exactVersionSchema } from "./exact-version.ts";
import { packageNameSchema } from "./package-name.ts";

/** What a version may be refused or flagged for. Nobody can waive `exotic`: what is not in a registry cannot be served. */
export const policyRules = [
  "release-age",
  "unknown-age",
  "exotic",
  "deprecated",
  "install-scripts",
  "blocked",
  "revoked",
] as const;
export type PolicyRule = (typeof policyRules)[number];
/** The rules that a waiver can lift. A revocation is lifted as such. */
export const waivableRules = ["release-age", "unknown-age", "deprecated", "install-scripts", "blocked"] as const;
export type WaivableRule = (typeof waivableRules)[number];

/** A range of versions as npm writes it. Its grammar is checked where it is taken in. */
export const versionRangeSchema = z.string().trim().min(1).max(256);
/** Flagged versions are used, and pointed out. */
export const ruleActionSchema = z.enum(["allow", "flag", "refuse"]);

const bound = z.number().int().nonnegative().nullable().describe("null: none");
const limitSchema = z.object({ warn: bound, block: bound });
export type CapLimit = z.infer<typeof limitSchema>;

/** What an environment may come to, on the platforms that are stocked for it. Bytes and files count each tarball once. */
export const capsSchema = z.object({
  packedBytes: limitSchema,
  unpackedBytes: limitSchema,
  files: limitSchema,
  nodes: limitSchema.describe("Packages in the graph, on all platforms"),
});
export type Caps = z.infer<typeof capsSchema>;
export const capNames = Object.keys(capsSchema.shape) as (keyof Caps)[];

const dependenciesSchema = z.record(packageNameSchema, versionRangeSchema);

/** Dependencies that a package imports and does not declare. */
export const extensionSchema = z.object({
  name: packageNameSchema,
  range: versionRangeSchema.default("*").describe("Versions of the package that it is for"),
  dependencies: dependenciesSchema.default({}),
  peerDependencies: dependenciesSchema.default({}).describe("Taken when the graph has them, never added for this"),
});
export type Extension = z.infer<typeof extensionSchema>;

export const blockedVersionsSchema = z.object({
  name: packageNameSchema,
  range: versionRangeSchema.default("*"),
  reason: z.string().max(500).optional(),
});

/** What may come into one environment. */
export const policySchema = z.object({
  minReleaseAgeMs: z
    .number()
    .int()
    .nonnegative()
    .max(3650 * 86_400_000)
    .describe("0: any age, also an unknown one"),
  deprecated: ruleActionSchema,
  installScripts: ruleActionSchema.describe("Larder never runs them; a package may not work without"),
  blocked: z.array(blockedVersionsSchema).max(10_000),
  caps: capsSchema,
  knownExtensions: z.boolean().describe("Add the undeclared dependencies that are widely known"),
  extensions: z.array(extensionSchema).max(10_000).describe("The environment's own; they win over the known ones"),
});
export type Policy = z.infer<typeof policySchema>;

const megabyte = 1_000_000;

export const defaultPolicy: Policy = {
  minReleaseAgeMs: 3 * 86_400_000,
  deprecated: "flag",
  installScripts: "flag",
  blocked: [],
  caps: {
    packedBytes: { warn: 150 * megabyte, block: 300 * megabyte },
    unpackedBytes: { warn: 1000 * megabyte, block: 8000 * megabyte },
    files: { warn: 100_000, block: 500_000 },
    nodes: { warn: 3000, block: 20_000 },
  },
  knownExtensions: true,
  extensions: [],
};

/** A change: what is absent stays as it is; lists are replaced. */
export const policyChangeSchema = policySchema.extend({ caps: capsSchema.partial() }).partial();
export type PolicyChange = z.input<typeof policyChangeSchema>;

/** Why a version is refused or flagged, and the way out. */
export const findingSchema = z.object({
  name: packageNameSchema,
  version: exactVersionSchema,
  rule: z.enum(policyRules),
  message: z.string(),
  hint: z.string().optional(),
  /** For `release-age`: when it will be old enough. */
  allowedAt: z.string().optional(),
  /** From a package of the allowlist down to it, as `name@version`, where that is known. */
  path: z.array(z.string()).optional(),
  /** The waiver that lets it in all the same. */
  waiver: z.string().optional(),
});
export type Finding = z.infer<typeof findingSchema>;

export const capFindingSchema = z.object({
  cap: z.enum(["packedBytes", "unpackedBytes", "files", "nodes"]),
  severity: z.enum(["warn", "block"]),
  actual: z.number(),
  limit: z.number(),
  message: z.string(),
  hint: z.string().optional(),
});
export type CapFinding = z.infer<typeof capFindingSchema>;
