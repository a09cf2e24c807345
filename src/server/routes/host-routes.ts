import { type Id, LarderError } from "../../contract/index.ts";
import { claimRuns, finishRun, getHost, groupHosts, pageOfHosts, recordAudit, revokeHost } from "../../db/index.ts";
import { assertFirst } from "../auth/assert-first.ts";
import { callingHost } from "../auth/calling-host.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice, type Notice } from "../events/notice.ts";
import { sendRun } from "../runs/send-run.ts";
import { api, apiOfFleets } from "./api.ts";
import { enrolmentRoutes } from "./enrolment-routes.ts";

export const hostRoutes = (context: ServerContext) => {
  const { db, reportDesk, announce } = context;
  return api.hosts.router({
    list: apiOfFleets.hosts.list.handler(({ input }) => pageOfHosts(db.query, input)),
    count: api.hosts.count.handler(({ input }) => groupHosts(db.query, input)),
    get: api.hosts.get.handler(async ({ input: { id } }) => known(id, await getHost(db.query, id))),

    ...enrolmentRoutes(context),

    revoke: api.hosts.revoke.handler(async ({ input: { id }, context: { principal } }) => {
      const revoked: Notice = { type: "revoked", hostId: id };
      const host = await db.transaction(async (tx) => {
        const gone = known(id, await revokeHost(tx, id));
        await recordAudit(tx, { actor: principal.subject, action: "host.revoke", target: id });
        await db.notify(tx, formatNotice(revoked));
        return gone;
      });
      announce(revoked);
      return host;
    }),

    reconcile: api.hosts.reconcile.handler(({ input: { id }, context: { principal } }) =>
      db.transaction(async (tx) => {
        const host = known(id, await getHost(tx, id));
        await recordAudit(tx, { actor: principal.subject, action: "host.reconcile", target: id });
        await db.notify(tx, formatNotice({ type: "reconcile", hostId: id }));
        return host;
      }),
    ),

    run: api.hosts.run.handler(async ({ input: { id, ...request }, context: { principal, signal } }) =>
      sendRun(context, { host: known(id, await getHost(db.query, id)), request, principal, signal }),
    ),

    claimRuns: api.hosts.claimRuns.handler(({ input: { max }, context: { principal } }) =>
      db.transaction(async (tx) => {
        const host = callingHost(principal);
        await assertFirst(tx, host);
        return await claimRuns(tx, { hostId: host.id, max });
      }),
    ),

    finishRun: api.hosts.finishRun.handler(async ({ input: { id, outcome }, context: { principal } }) => {
      const awaited = await finishRun(db.query, { id, hostId: callingHost(principal).id, outcome });
      if (awaited) await db.notify(db.query, formatNotice({ type: "runEnded", id }));
      return { awaited };
    }),

    report: api.hosts.report.handler(async ({ input, context: { principal } }) => ({
      kept: await reportDesk.take(callingHost(principal).id, input),
    })),
  });
};

function known<T>(id: Id, found: T | undefined): T {
  if (found !== undefined) return found;
  throw new LarderError("E_NOT_FOUND", `There is no host ${id}.`, {
    hint: "`larder hosts list` shows those there are.",
    details: { id },
  });
}
