import { z } from "zod";
import { errorBodySchema } from "./error-body.ts";
import { exactVersionSchema } from "./exact-version.ts";
import { packageChangeSchema } from "./generation.ts";
import { environmentNameSchema, idSchema } from "./ids.ts";
import { pinRequestSchema } from "./package-entry.ts";
import { packageNameSchema } from "./package-name.ts";
import { capFindingSchema, findingSchema, policyChangeSchema } from "./policy.ts";

/** Edits of the allowlist that are only imagined. */
export const allowlistChangesSchema = z.object({
  add: z.array(pinRequestSchema).max(1000).default([]),
  remove: z.array(packageNameSchema).max(1000).default([]),
  enable: z.array(packageNameSchema).max(1000).default([]),
  disable: z.array(packageNameSchema).max(1000).default([]),
});
export type AllowlistChanges = z.infer<typeof allowlistChangesSchema>;

/** How a version was chosen where none was asked for. */
export const choiceSchema = z.object({
  name: packageNameSchema,
  version: exactVersionSchema,
  /** What the registry's `latest` tag points at. */
  latest: exactVersionSchema.optional(),
  why: z.string(),
  /** Newer ones that policy hides, newest first; the first few. */
  passedOver: z.array(findingSchema),
});
export type Choice = z.infer<typeof choiceSchema>;

/** A dependency that a package imports without declaring it, and that was added for it. */
export const addedDependencySchema = z.object({
  name: packageNameSchema,
  version: exactVersionSchema,
  dependency: packageNameSchema,
  range: z.string(),
  kind: z.enum(["dependency", "peer"]),
  source: z.enum(["known", "policy"]),
});
export type AddedDependency = z.infer<typeof addedDependencySchema>;

/** A newer version that policy hides, where an older one was taken. */
export const heldBackSchema = z.object({
  name: packageNameSchema,
  chosen: exactVersionSchema,
  /** Why `finding.version` was not. */
  finding: findingSchema,
});

export const plannedChangeSchema = packageChangeSchema.extend({
  /** A name that the current generation does not have, and the allowlist neither: it came along. */
  newTransitive: z.boolean(),
});

/** What an install would do now. Nothing was changed. */
export const planSchema = z.object({
  environment: environmentNameSchema,
  /** Whether an install would succeed, as far as can be told without fetching. */
  ok: z.boolean(),
  /** 0: there is none yet. */
  currentGeneration: z.number().int().nonnegative(),
  /** Absent when the allowlist could not be resolved. */
  lockfileHash: z.string().optional(),
  /** False when an install would make no new generation. */
  changed: z.boolean(),
  /** The enabled packages that it was resolved from. */
  packages: z.array(z.object({ name: packageNameSchema, version: exactVersionSchema })),
  choices: z.array(choiceSchema),
  changes: z.array(plannedChangeSchema),
  nodes: z.number().int().nonnegative(),
  /** What the control plane would fetch. `packedBytes` is a guess for the part of the tarballs that were never here: registries do not declare it. */
  fetch: z.object({
    tarballs: z.number().int().nonnegative(),
    packedBytes: z.number().int().nonnegative(),
    packedIsEstimate: z.boolean(),
    unpackedBytes: z.number().int().nonnegative(),
  }),
  /** What each host would pull, at most. */
  hosts: z.array(
    z.object({
      id: idSchema,
      tarballs: z.number().int().nonnegative(),
      packedBytes: z.number().int().nonnegative(),
      packedIsEstimate: z.boolean(),
    }),
  ),
  /** Why an install would be refused. */
  refusals: z.array(findingSchema),
  caps: z.array(capFindingSchema),
  /** Allowed, and worth knowing. */
  flags: z.array(findingSchema),
  /** Refused but for a waiver. */
  waived: z.array(findingSchema),
  heldBack: z.array(heldBackSchema),
  addedDependencies: z.array(addedDependencySchema),
  /** What an install would fail with, when `ok` is false. */
  error: errorBodySchema.optional(),
  timingsMs: z.record(z.string(), z.number()),
});
export type Plan = z.infer<typeof planSchema>;

export const planInputSchema = z.object({
  changes: allowlistChangesSchema.partial().optional(),
  policy: policyChangeSchema.optional().describe("As if the policy were changed so"),
});
export type PlanInput = z.input<typeof planInputSchema>;

/** What a change of policy would mean today. */
export const policyTestSchema = z.object({
  environment: environmentNameSchema,
  /** Of what the current generation holds and the allowlist names: refused by the changed policy. */
  refused: z.array(findingSchema.extend({ already: z.boolean().describe("The policy in force refuses it, too") })),
  flagged: z.array(findingSchema),
  /** Refused by the policy in force, and not by the changed one. */
  released: z.array(findingSchema),
  /** What an install would do then. */
  plan: planSchema,
});
export type PolicyTest = z.infer<typeof policyTestSchema>;

/** What `revoke` did, or would do, to one environment. */
export const revokeEffectSchema = z.object({
  environment: environmentNameSchema,
  /** What its current generation or its allowlist has of it. */
  holds: z.boolean(),
  /** Pins that move to another version. */
  repin: z.array(z.object({ name: packageNameSchema, from: exactVersionSchema, to: exactVersionSchema })),
  /** Pins that cannot be had without it. */
  disable: z.array(z.object({ name: packageNameSchema, version: exactVersionSchema })),
  /** Why the new generation could not be made, when that can be told. */
  error: errorBodySchema.optional(),
});
export type RevokeEffect = z.infer<typeof revokeEffectSchema>;
