import { LarderError } from "../../contract/index.ts";
import { deleteRevocation, listRevocations, recordAudit } from "../../db/index.ts";
import { planRevocation, revoke } from "../../operations/index.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";

/** What follows from a revocation is worked out first; the block itself must not wait for a slow registry for longer than this. */
const planningMs = 60_000;

export const revocationRoutes = ({ db, planner, planning }: ServerContext) => {
  const within = (signal: AbortSignal): AbortSignal => {
    const timeout = new AbortController();
    const tooSlow = () => timeout.abort(new LarderError("E_TIMEOUT", "The registry took too long to say what else there is."));
    setTimeout(tooSlow, planningMs).unref();
    return AbortSignal.any([signal, timeout.signal]);
  };
  return api.revocations.router({
    list: api.revocations.list.handler(() => listRevocations(db.query)),

    plan: api.revocations.plan.handler(({ input, context: { signal } }) =>
      planRevocation(planning, planner, { ...input, signal: within(signal) }),
    ),

    add: api.revocations.add.handler(({ input, context: { principal, signal } }) =>
      revoke(planning, planner, { ...input, revokedBy: principal.subject, signal: within(signal) }),
    ),

    remove: api.revocations.remove.handler(({ input: { name, version }, context: { principal } }) =>
      db.transaction(async (tx) => {
        const lifted = await deleteRevocation(tx, { name, version });
        if (lifted === undefined) {
          throw new LarderError("E_NOT_FOUND", `${name}@${version} is not revoked.`, {
            hint: "`larder revocations list` shows what is.",
          });
        }
        const details = lifted.reason === undefined ? {} : { reason: lifted.reason };
        await recordAudit(tx, { actor: principal.subject, action: "version.reinstate", target: `${name}@${version}`, details });
        return lifted;
      }),
    ),
  });
};
