import { randomUUID } from "node:crypto";
import { type Host, type Id, LarderError } from "../../contract/index.ts";
import {
  claimRuns,
  createToken,
  finishRun,
  getHost,
  insertHost,
  listHosts,
  recordAudit,
  reportHost,
  revokeHost,
} from "../../db/index.ts";
import { callingHost } from "../auth/calling-host.ts";
import { createTokenText, hashOfToken } from "../auth/token-text.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice, type Notice } from "../events/notice.ts";
import { sendRun } from "../runs/send-run.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";

export const hostRoutes = (context: ServerContext) => {
  const { db, signer, stocker, announce } = context;
  return api.hosts.router({
    list: api.hosts.list.handler(() => listHosts(db.query)),
    get: api.hosts.get.handler(async ({ input: { id } }) => known(id, await getHost(db.query, id))),

    enrol: api.hosts.enrol.handler(async ({ input: { id, environment }, context: { principal } }) => {
      assertNotReserved(id);
      const text = createTokenText("host", signer.keyId);
      return await db.transaction(async (tx) => {
        await requireEnvironment(tx, environment);
        const host = await insertHost(tx, { id, environment });
        if (host === undefined) {
          throw new LarderError("E_CONFLICT", `There is a host ${id} already.`, {
            hint: "Choose another id, or revoke that host first; its token dies with it.",
            details: { id },
          });
        }
        await createToken(tx, {
          id: `tok-${randomUUID()}`,
          role: "host",
          subject: `host ${id}`,
          hash: hashOfToken(text),
          environment,
          hostId: id,
        });
        await recordAudit(tx, { actor: principal.subject, action: "host.enrol", target: id, details: { environment } });
        await db.notify(tx, formatNotice({ type: "host", id }));
        return { host, token: text };
      });
    }),

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
      claimRuns(db.query, { hostId: callingHost(principal).id, max }),
    ),

    finishRun: api.hosts.finishRun.handler(async ({ input: { id, outcome }, context: { principal } }) => {
      const awaited = await finishRun(db.query, { id, hostId: callingHost(principal).id, outcome });
      if (awaited) await db.notify(db.query, formatNotice({ type: "runEnded", id }));
      return { awaited };
    }),

    report: api.hosts.report.handler(async ({ input, context: { principal } }) => {
      const { id } = callingHost(principal);
      const host = await db.transaction(async (tx) => {
        const kept = known(id, await reportHost(tx, id, input));
        await db.notify(tx, formatNotice({ type: "host", id }));
        return kept;
      });
      await stocker.consider(host);
      return host;
    }),
  });
};

/** `/hosts/self` is the caller. */
function assertNotReserved(id: Id): void {
  if (id === "self")
    throw new LarderError("E_INPUT", 'No host can be called "self".', { hint: "Choose another id.", details: { field: "id" } });
}

function known(id: Id, host: Host | undefined): Host {
  if (host) return host;
  throw new LarderError("E_NOT_FOUND", `There is no host ${id}.`, {
    hint: "`larder hosts list` shows those there are.",
    details: { id },
  });
}
