import { randomUUID } from "node:crypto";
import { LarderError } from "../../contract/index.ts";
import { createToken, endSessionsOf, listTokens, recordAudit, revokeToken } from "../../db/index.ts";
import { createTokenText, hashOfToken } from "../auth/token-text.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice, type Notice } from "../events/notice.ts";
import { api } from "./api.ts";

export const tokenRoutes = ({ db, announce }: ServerContext) =>
  api.tokens.router({
    list: api.tokens.list.handler(() => listTokens(db.query)),

    create: api.tokens.create.handler(({ input: { role, subject }, context: { principal } }) =>
      db.transaction(async (tx) => {
        const text = createTokenText(role);
        const token = await createToken(tx, { id: `tok-${randomUUID()}`, role, subject, hash: hashOfToken(text) });
        await recordAudit(tx, { actor: principal.subject, action: "token.create", target: token.id, details: { role, subject } });
        return { token, text };
      }),
    ),

    revoke: api.tokens.revoke.handler(async ({ input: { id }, context: { principal } }) => {
      const revoked: Notice = { type: "revoked", tokenId: id };
      const token = await db.transaction(async (tx) => {
        const gone = await revokeToken(tx, id);
        if (gone === undefined) {
          throw new LarderError("E_NOT_FOUND", `There is no token ${id}.`, {
            hint: "`larder tokens list` shows those there are.",
            details: { id },
          });
        }
        await endSessionsOf(tx, id);
        if (gone.role === "admin") assertAdminRemains(await listTokens(tx));
        await recordAudit(tx, { actor: principal.subject, action: "token.revoke", target: id, details: { role: gone.role } });
        await db.notify(tx, formatNotice(revoked));
        return gone;
      });
      announce(revoked);
      return token;
    }),
  });

/** Called with what would be left; throwing rolls the revocation back. */
function assertAdminRemains(tokens: { role: string }[]): void {
  if (tokens.some(({ role }) => role === "admin")) return;
  throw new LarderError("E_CONFLICT", "This is the last admin token.", {
    hint: "Make another one first, then revoke this one with it.",
  });
}
