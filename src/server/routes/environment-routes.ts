import { type EnvironmentName, LarderError } from "../../contract/index.ts";
import {
  createEnvironment,
  type EnvironmentState,
  getEnvironment,
  listEnvironments,
  type Queryable,
  recordAudit,
} from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";

export const environmentRoutes = ({ db }: ServerContext) =>
  api.environments.router({
    list: api.environments.list.handler(() => listEnvironments(db.query)),
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
  });

/** Throws `E_NOT_FOUND`. */
export async function requireEnvironment(tx: Queryable, name: EnvironmentName): Promise<EnvironmentState> {
  const environment = await getEnvironment(tx, name);
  if (environment) return environment;
  throw new LarderError("E_NOT_FOUND", `There is no environment ${name}.`, {
    hint: "`larder environments list` shows those there are.",
    details: { environment: name },
  });
}
