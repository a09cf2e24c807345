import { pageOfAudit } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";

export const auditRoutes = ({ db }: ServerContext) =>
  api.audit.router({
    list: api.audit.list.handler(({ input }) => pageOfAudit(db.query, input)),
  });
