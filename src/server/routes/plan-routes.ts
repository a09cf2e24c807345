import { policyChangeSchema } from "../../contract/index.ts";
import { getPolicy } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";
import { mergePolicy } from "./policy-routes.ts";

export const planRoutes = ({ db, planner }: ServerContext) =>
  api.plans.router({
    create: api.plans.create.handler(async ({ input: { environment, changes, policy }, context: { signal } }) => {
      await requireEnvironment(db.query, environment);
      const inForce = policy && (await getPolicy(db.query, environment)).policy;
      const imagined = inForce && policy && mergePolicy(inForce, policyChangeSchema.parse(policy));
      return await planner.plan({ environment, changes, policy: imagined, signal });
    }),
  });
