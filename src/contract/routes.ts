import { oc } from "@orpc/contract";
import { z } from "zod";
import { auditContract } from "./audit-log.ts";
import { environmentsContract } from "./environment-routes.ts";
import { exactVersionSchema } from "./exact-version.ts";
import { generationsContract } from "./generation-routes.ts";
import { hostContract } from "./host-routes.ts";
import { environmentNameSchema, idSchema } from "./ids.ts";
import { installOperationSchema, operationSchema, startedSchema } from "./operation.ts";
import { allowlistSchema, packageEntrySchema, pinRequestSchema } from "./package-entry.ts";
import { packageNameSchema } from "./package-name.ts";
import { requestsContract } from "./package-request.ts";
import { pageOf, pageQueryOf } from "./page.ts";
import { choiceSchema } from "./plan.ts";
import { plansContract, policyContract, revocationsContract, waiversContract } from "./policy-routes.ts";
import { registryContract, secretsContract } from "./registry-routes.ts";
import { sessionContract } from "./session-routes.ts";
import { signingKeysContract } from "./signing-key-routes.ts";
import { statusSchema } from "./status.ts";
import { storageContract } from "./storage-routes.ts";
import { roles, tokenSchema } from "./token.ts";

const inEnvironment = z.object({ environment: environmentNameSchema });
const namedPackage = inEnvironment.extend({ name: packageNameSchema });
const byId = z.object({ id: idSchema });

/** The HTTP API below `/api`: paths, inputs and answers. Raw routes (bytes, caching, events) are in `rawRoutes`. */
export const contract = {
  audit: auditContract,
  status: {
    get: oc
      .route({ method: "GET", path: "/environments/{environment}/status", summary: "Where everything stands" })
      .input(inEnvironment)
      .output(statusSchema),
  },
  environments: environmentsContract,
  requests: requestsContract,
  packages: {
    list: oc
      .route({ method: "GET", path: "/environments/{environment}/packages", summary: "The allowlist" })
      .input(inEnvironment)
      .output(allowlistSchema),
    add: oc
      .route({
        method: "POST",
        path: "/environments/{environment}/packages",
        summary: "Add packages, or change their pins; all of them or none",
      })
      .input(
        inEnvironment.extend({
          packages: z.array(pinRequestSchema).min(1).max(1000),
        }),
      )
      .output(
        z.array(
          packageEntrySchema.extend({
            change: z.enum(["added", "changed", "unchanged"]),
            previousVersion: exactVersionSchema.optional(),
            /** Where no version was asked for. */
            choice: choiceSchema.optional(),
          }),
        ),
      ),
    remove: oc
      .route({
        method: "DELETE",
        path: "/environments/{environment}/packages/{name}",
        summary: "Remove a package from the allowlist",
      })
      .input(namedPackage)
      .output(packageEntrySchema),
    setEnabled: oc
      .route({ method: "PATCH", path: "/environments/{environment}/packages/{name}", summary: "Enable or disable a package" })
      .input(namedPackage.extend({ enabled: z.boolean() }))
      .output(packageEntrySchema),
  },
  installs: {
    start: oc
      .route({
        method: "POST",
        path: "/environments/{environment}/installs",
        successStatus: 202,
        summary: "Start an install, or join the one under way",
      })
      .input(inEnvironment)
      .output(startedSchema(installOperationSchema)),
  },
  operations: {
    list: oc
      .route({ method: "GET", path: "/operations", summary: "Operations, newest first" })
      .input(pageQueryOf(z.coerce.number().int().positive(), { most: 200, usual: 20 }))
      .output(pageOf(operationSchema, z.number().int().positive())),
    get: oc.route({ method: "GET", path: "/operations/{id}", summary: "One operation" }).input(byId).output(operationSchema),
    cancel: oc
      .route({ method: "POST", path: "/operations/{id}/cancel", summary: "Cancel a queued or running operation" })
      .input(byId)
      .output(operationSchema),
  },
  generations: generationsContract,
  hosts: hostContract,
  session: sessionContract,
  plans: plansContract,
  policy: policyContract,
  waivers: waiversContract,
  revocations: revocationsContract,
  storage: storageContract,
  registries: registryContract,
  secrets: secretsContract,
  signingKeys: signingKeysContract,
  tokens: {
    list: oc.route({ method: "GET", path: "/tokens", summary: "Tokens, without their text" }).output(z.array(tokenSchema)),
    create: oc
      .route({ method: "POST", path: "/tokens", successStatus: 201, summary: "Make a token; its text is shown this once" })
      .input(z.object({ role: z.enum(roles).exclude(["host"]), subject: z.string().min(1).max(120) }))
      .output(z.object({ token: tokenSchema, text: z.string() })),
    revoke: oc.route({ method: "DELETE", path: "/tokens/{id}", summary: "Revoke a token" }).input(byId).output(tokenSchema),
  },
};
