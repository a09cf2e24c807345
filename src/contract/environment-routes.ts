import { oc } from "@orpc/contract";
import { z } from "zod";
import { environmentDetailsSchema, environmentSchema, removedEnvironmentSchema } from "./environment.ts";
import { environmentNameSchema } from "./ids.ts";

const inEnvironment = z.object({ environment: environmentNameSchema });

export const environmentsContract = {
  list: oc.route({ method: "GET", path: "/environments", summary: "List environments" }).output(z.array(environmentSchema)),
  get: oc
    .route({ method: "GET", path: "/environments/{environment}", summary: "One environment" })
    .input(inEnvironment)
    .output(environmentDetailsSchema),
  create: oc
    .route({ method: "POST", path: "/environments", successStatus: 201, summary: "Create an environment" })
    .input(z.object({ name: environmentNameSchema }))
    .output(environmentSchema),
  remove: oc
    .route({
      method: "DELETE",
      path: "/environments/{environment}",
      summary: "Remove an environment with its allowlist and its generations; refused while hosts are enrolled in it",
    })
    .input(inEnvironment.extend({ revokeHosts: z.boolean().default(false).describe("Revokes the enrolled hosts instead") }))
    .output(removedEnvironmentSchema),
};
