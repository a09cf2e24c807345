import { type EnvironmentName, LarderError } from "../../contract/index.ts";
import {
  countHosts,
  createEnvironment,
  currentGeneration,
  type EnvironmentState,
  getAllowlist,
  getEnvironment,
  listEnvironments,
  type Queryable,
  recordAudit,
} from "../../db/index.ts";
import { noSuchEnvironment } from "../../operations/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";
import { removeEnvironmentFor } from "./remove-environment.ts";

export const environmentRoutes = (context: ServerContext) => {
  const { db } = context;
  return api.environments.router({
    list: api.environments.list.handler(() => listEnvironments(db.query)),

    get: api.environments.get.handler(async ({ input: { environment } }) => {
      const { name, createdAt, generation } = await requireEnvironment(db.query, environment);
      const current = await currentGeneration(db.query, environment);
      const allowlist = await getAllowlist(db.query, environment);
      const packages = allowlist?.packages ?? [];
      return {
        name,
        createdAt,
        generation,
        ...(current ? { lockfileHash: current.lockfileHash, changedAt: current.createdAt } : {}),
        installDue: allowlist?.installDue ?? false,
        packages: packages.length,
        enabled: packages.filter(({ enabled }) => enabled).length,
        hosts: await countHosts(db.query, environment),
      };
    }),

    create: api.environments.create.handler(({ input: { name }, context: { principal } }) =>
      db.transaction(async (tx) => {
        const environment = await createEnvironment(tx, name);
        if (environment === undefined) {
          throw new LarderError("E_CONFLICT", `There is an environment ${name} already.`, {
            hint: "Use it, or choose another name.",
          });
        }
        await recordAudit(tx, { actor: principal.subject, action: "environment.create", target: name });
        return environment;
      }),
    ),

    remove: api.environments.remove.handler(async ({ input, context: { principal } }) => {
      const revokedHosts = await removeEnvironmentFor(context, { ...input, principal });
      return { name: input.environment, revokedHosts };
    }),
  });
};

/** Throws `E_NOT_FOUND`. */
export async function requireEnvironment(tx: Queryable, name: EnvironmentName): Promise<EnvironmentState> {
  const environment = await getEnvironment(tx, name);
  if (environment) return environment;
  throw noSuchEnvironment(name);
}
