import { requestInstall } from "../../operations/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";

export const installRoutes = ({ db }: ServerContext) =>
  api.installs.router({
    start: api.installs.start.handler(async ({ input: { environment }, context: { principal } }) => {
      await requireEnvironment(db.query, environment);
      return await requestInstall(db, { environment, requestedBy: principal.subject });
    }),
  });
