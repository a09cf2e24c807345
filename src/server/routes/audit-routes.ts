import { listAudit } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";

export const auditRoutes = ({ db }: ServerContext) =>
  api.audit.router({
    list: api.audit.list.handler(async ({ input }) => {
      // One more than was asked for tells whether there is a next page.
      const found = await listAudit(db.query, { ...input, limit: input.limit + 1 });
      const records = found.slice(0, input.limit);
      const last = records.at(-1);
      return { records, ...(found.length > records.length && last ? { next: last.id } : {}) };
    }),
  });
