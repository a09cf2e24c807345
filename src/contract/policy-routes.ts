import { oc } from "@orpc/contract";
import { z } from "zod";
import { exactVersionSchema } from "./exact-version.ts";
import { environmentNameSchema, idSchema, timestampSchema } from "./ids.ts";
import { installOperationSchema } from "./operation.ts";
import { packageNameSchema } from "./package-name.ts";
import { planInputSchema, planSchema, policyTestSchema, revokeEffectSchema } from "./plan.ts";
import { policyChangeSchema, policySchema } from "./policy.ts";
import { newWaiverSchema, revocationSchema, waiverSchema } from "./waiver.ts";

const inEnvironment = z.object({ environment: environmentNameSchema });

export const environmentPolicySchema = z.object({
  environment: environmentNameSchema,
  policy: policySchema,
  /** Absent: nobody has changed it from the default. */
  updatedAt: timestampSchema.optional(),
  updatedBy: z.string().optional(),
});
export type EnvironmentPolicy = z.infer<typeof environmentPolicySchema>;

/** What an install would do. */
export const plansContract = {
  create: oc
    .route({
      method: "POST",
      path: "/environments/{environment}/plan",
      summary: "What an install would do, also with edits of the allowlist or the policy that are only imagined; changes nothing",
    })
    .input(inEnvironment.extend(planInputSchema.shape))
    .output(planSchema),
};

/** What may come into an environment. */
export const policyContract = {
  get: oc
    .route({ method: "GET", path: "/environments/{environment}/policy", summary: "The policy in force" })
    .input(inEnvironment)
    .output(environmentPolicySchema),
  set: oc
    .route({
      method: "PATCH",
      path: "/environments/{environment}/policy",
      summary: "Change the policy; what is absent stays, lists are replaced; it holds from the next install on",
    })
    .input(
      inEnvironment.extend({ change: policyChangeSchema, reset: z.boolean().default(false).describe("Start from the default") }),
    )
    .output(environmentPolicySchema),
  test: oc
    .route({
      method: "POST",
      path: "/environments/{environment}/policy/test",
      summary: "What a change of policy would refuse today; changes nothing",
    })
    .input(inEnvironment.extend({ change: policyChangeSchema, reset: z.boolean().default(false) }))
    .output(policyTestSchema),
};

/** Exceptions from the policy. */
export const waiversContract = {
  list: oc
    .route({ method: "GET", path: "/environments/{environment}/waivers", summary: "Waivers, newest first, expired ones too" })
    .input(inEnvironment)
    .output(z.array(waiverSchema)),
  add: oc
    .route({ method: "POST", path: "/environments/{environment}/waivers", successStatus: 201, summary: "Waive a rule" })
    .input(inEnvironment.extend({ waiver: newWaiverSchema }))
    .output(waiverSchema),
  remove: oc
    .route({ method: "DELETE", path: "/environments/{environment}/waivers/{id}", summary: "End a waiver" })
    .input(inEnvironment.extend({ id: idSchema }))
    .output(waiverSchema),
};

const oneVersion = z.object({ name: packageNameSchema, version: exactVersionSchema });

/** Versions that no environment may have. */
export const revocationsContract = {
  list: oc
    .route({ method: "GET", path: "/revocations", summary: "Revoked versions, newest first" })
    .output(z.array(revocationSchema)),
  plan: oc
    .route({ method: "POST", path: "/revocations/plan", summary: "What revoking a version would do; changes nothing" })
    .input(oneVersion)
    .output(z.array(revokeEffectSchema)),
  add: oc
    .route({
      method: "POST",
      path: "/revocations",
      successStatus: 201,
      summary: "Block a version everywhere, now: re-pin or disable what has it, and install the environments that do",
    })
    .input(oneVersion.extend({ reason: z.string().trim().min(1).max(500).optional() }))
    .output(
      z.object({ revocation: revocationSchema, effects: z.array(revokeEffectSchema), installs: z.array(installOperationSchema) }),
    ),
  remove: oc
    .route({ method: "DELETE", path: "/revocations/{name}/{version}", summary: "Lift a revocation; pins stay as they are" })
    .input(oneVersion)
    .output(revocationSchema),
};
