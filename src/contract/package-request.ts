import { oc } from "@orpc/contract";
import { z } from "zod";
import { environmentNameSchema, idSchema, timestampSchema } from "./ids.ts";
import { packageNameSchema } from "./package-name.ts";

/** Somebody who may not change the allowlist wants a package on it. Adding the package, in whatever way, approves it. */
export const packageRequestSchema = z.object({
  id: idSchema,
  environment: environmentNameSchema,
  name: packageNameSchema,
  reason: z.string().optional(),
  requestedBy: z.string(),
  requestedAt: timestampSchema,
  state: z.enum(["open", "approved", "declined"]),
  decidedBy: z.string().optional(),
  decidedAt: timestampSchema.optional(),
  /** Said to whoever asked. */
  answer: z.string().optional(),
});
export type PackageRequest = z.infer<typeof packageRequestSchema>;

const words = z.string().trim().min(1).max(500).optional();
const inEnvironment = z.object({ environment: environmentNameSchema });

export const requestsContract = {
  list: oc
    .route({
      method: "GET",
      path: "/environments/{environment}/requests",
      summary: "Requests for packages: open ones first, then the latest",
    })
    .input(inEnvironment)
    .output(z.array(packageRequestSchema)),
  create: oc
    .route({
      method: "POST",
      path: "/environments/{environment}/requests",
      successStatus: 201,
      summary: "Ask for a package, or join the request that is open for it",
    })
    .input(inEnvironment.extend({ name: packageNameSchema, reason: words }))
    .output(packageRequestSchema),
  decline: oc
    .route({
      method: "POST",
      path: "/environments/{environment}/requests/{id}/decline",
      summary: "Decline a request; adding the package approves it",
    })
    .input(inEnvironment.extend({ id: idSchema, answer: words }))
    .output(packageRequestSchema),
};
