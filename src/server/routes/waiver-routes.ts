import { randomUUID } from "node:crypto";
import { LarderError } from "../../contract/index.ts";
import { deleteWaiver, insertWaiver, listWaivers, recordAudit } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";
import { assertRange } from "./policy-routes.ts";

export const waiverRoutes = ({ db }: ServerContext) =>
  api.waivers.router({
    list: api.waivers.list.handler(async ({ input: { environment } }) => {
      await requireEnvironment(db.query, environment);
      return await listWaivers(db.query, environment);
    }),

    add: api.waivers.add.handler(async ({ input: { environment, waiver }, context: { principal } }) => {
      await requireEnvironment(db.query, environment);
      if (waiver.range !== undefined) assertRange(waiver.range, waiver.name ?? "range");
      return await db.transaction(async (tx) => {
        const added = await insertWaiver(tx, { ...waiver, id: randomUUID(), environment, createdBy: principal.subject });
        const { id, rule, name, range, registry, reason, expiresAt } = added;
        const details = { id, rule, name, range, registry, reason, expiresAt };
        await recordAudit(tx, { actor: principal.subject, action: "waiver.add", target: environment, details });
        await db.notify(tx, formatNotice({ type: "packages", environment }));
        return added;
      });
    }),

    remove: api.waivers.remove.handler(async ({ input: { environment, id }, context: { principal } }) => {
      await requireEnvironment(db.query, environment);
      return await db.transaction(async (tx) => {
        const removed = await deleteWaiver(tx, environment, id);
        if (removed === undefined) {
          throw new LarderError("E_NOT_FOUND", `Environment ${environment} has no waiver ${id}.`, {
            hint: "`larder waivers list` shows those there are.",
          });
        }
        const { rule, name, range, registry, reason } = removed;
        const details = { id, rule, name, range, registry, reason };
        await recordAudit(tx, { actor: principal.subject, action: "waiver.remove", target: environment, details });
        await db.notify(tx, formatNotice({ type: "packages", environment }));
        return removed;
      });
    }),
  });
