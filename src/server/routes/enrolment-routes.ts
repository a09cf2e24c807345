import { randomUUID } from "node:crypto";
import { type Id, LarderError } from "../../contract/index.ts";
import { createEnrolment, getHost, listEnrolments, recordAudit, revokeEnrolment } from "../../db/index.ts";
import { createEnrolmentText, hashOfToken } from "../auth/token-text.ts";
import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";
import { requireEnvironment } from "./environment-routes.ts";

/** How hosts get in: see `joinHost` for their side. */
export const enrolmentRoutes = ({ db, signer }: ServerContext) => ({
  enrol: api.hosts.enrol.handler(async ({ input: { id: hostId, ...asked }, context: { principal } }) => {
    assertNotReserved(hostId);
    const text = createEnrolmentText(signer.keyId);
    return await db.transaction(async (tx) => {
      await requireEnvironment(tx, asked.environment);
      if (hostId !== undefined && (await getHost(tx, hostId))) throw taken(hostId);
      const createdBy = principal.subject;
      const id = `enr-${randomUUID()}`;
      const enrolment = await createEnrolment(tx, { id, hash: hashOfToken(text), hostId, createdBy, ...asked });
      const { environment, uses, labels, expiresAt } = enrolment;
      const details = { environment, uses, labels, expiresAt, ...(hostId === undefined ? {} : { host: hostId }) };
      await recordAudit(tx, { actor: createdBy, action: "host.enrol", target: hostId ?? id, details });
      return { enrolment, token: text };
    });
  }),

  enrolments: api.hosts.enrolments.handler(() => listEnrolments(db.query)),

  revokeEnrolment: api.hosts.revokeEnrolment.handler(({ input: { id }, context: { principal } }) =>
    db.transaction(async (tx) => {
      const revoked = await revokeEnrolment(tx, id);
      if (revoked === undefined) {
        throw new LarderError("E_NOT_FOUND", `There is no enrolment ${id}, or it was revoked before.`, {
          hint: "`larder hosts enrolments` shows those there are.",
          details: { id },
        });
      }
      await recordAudit(tx, { actor: principal.subject, action: "enrolment.revoke", target: id });
      return revoked;
    }),
  ),
});

/** `/hosts/self` is the caller. */
function assertNotReserved(id: Id | undefined): void {
  if (id === "self" || id === "join") {
    throw new LarderError("E_INPUT", `No host can be called "${id}".`, { hint: "Choose another id.", details: { field: "id" } });
  }
}

const taken = (id: Id): LarderError =>
  new LarderError("E_CONFLICT", `There is a host ${id} already.`, {
    hint: "Choose another id, or revoke that host first; its key dies with it.",
    details: { id },
  });
