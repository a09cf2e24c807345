import { randomUUID } from "node:crypto";
import { LarderError } from "../../contract/index.ts";
import {
  countOpenPackageRequests,
  declinePackageRequest,
  getPackage,
  listPackageRequests,
  openPackageRequest,
  recordAudit,
} from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";

/** Any author may ask; a person must still be able to read them. */
const mostOpen = 500;

export const requestRoutes = ({ db }: ServerContext) =>
  api.requests.router({
    list: api.requests.list.handler(async ({ input: { environment } }) => {
      await requireEnvironment(db.query, environment);
      return await listPackageRequests(db.query, environment);
    }),

    create: api.requests.create.handler(({ input: { environment, name, reason }, context: { principal } }) =>
      db.transaction(async (tx) => {
        await requireEnvironment(tx, environment);
        const entry = await getPackage(tx, environment, name);
        if (entry) {
          throw new LarderError("E_CONFLICT", `${name} is on the allowlist of environment ${environment} already.`, {
            hint: entry.enabled ? "It is there after the next install." : "It is disabled: ask an operator to enable it.",
          });
        }
        const { request, joined } = await openPackageRequest(tx, {
          id: `req-${randomUUID()}`,
          environment,
          name,
          reason,
          requestedBy: principal.subject,
        });
        if (joined) return request;
        if ((await countOpenPackageRequests(tx, environment)) > mostOpen) {
          throw new LarderError("E_BUSY", `Environment ${environment} has ${mostOpen} open requests.`, {
            hint: "Wait until an operator has decided on some of them.",
          });
        }
        await recordAudit(tx, { actor: principal.subject, action: "request.create", target: `${environment}/${name}` });
        await db.notify(tx, formatNotice({ type: "packages", environment }));
        return request;
      }),
    ),

    decline: api.requests.decline.handler(({ input: { environment, id, answer }, context: { principal } }) =>
      db.transaction(async (tx) => {
        await requireEnvironment(tx, environment);
        const request = await declinePackageRequest(tx, environment, { id, answer, decidedBy: principal.subject });
        if (request === undefined) {
          throw new LarderError("E_NOT_FOUND", `There is no open request ${id}.`, {
            hint: "It may have been decided already.",
            details: { id },
          });
        }
        await recordAudit(tx, { actor: principal.subject, action: "request.decline", target: `${environment}/${request.name}` });
        await db.notify(tx, formatNotice({ type: "packages", environment }));
        return request;
      }),
    ),
  });
