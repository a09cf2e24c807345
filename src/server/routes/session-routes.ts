import { randomUUID } from "node:crypto";
import { LarderError } from "../../contract/index.ts";
import { createSession, endSession, type Queryable, recordAudit } from "../../db/index.ts";
import type { Principal } from "../auth/principal.ts";
import { clearedSessionCookies, createSessionText, sessionCookie } from "../auth/session-cookie.ts";
import { hashOfToken } from "../auth/token-text.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice, type Notice } from "../events/notice.ts";
import { api } from "./api.ts";

export const sessionRoutes = ({ db, authenticator, signer, announce, sessionMs }: ServerContext) => {
  const { storeId } = signer;
  /** Here and on the other replicas. */
  const forget = async (tx: Queryable, sessionId: string): Promise<Notice> => {
    await endSession(tx, sessionId);
    const notice: Notice = { type: "revoked", sessionId };
    await db.notify(tx, formatNotice(notice));
    return notice;
  };

  return api.session.router({
    create: api.session.create.handler(async ({ input: { token }, context: { request, responseHeaders } }) => {
      const principal = await authenticator.authenticate(`Bearer ${token}`);
      assertMaySignIn(principal);
      // Never one that came with the request: nobody can fix another's session beforehand.
      const text = createSessionText();
      const id = `ses-${randomUUID()}`;
      const before = await authenticator.findSession(request.headers.get("cookie"));
      const { expiresAt, notice } = await db.transaction(async (tx) => {
        const notice = before?.session && (await forget(tx, before.session.id));
        const made = await createSession(tx, { id, hash: hashOfToken(text), tokenId: principal.tokenId, lifeMs: sessionMs });
        await recordAudit(tx, {
          actor: principal.subject,
          action: "session.create",
          target: id,
          details: {
            token: principal.tokenId,
            role: principal.role,
            ...(before?.session ? { replaces: before.session.id } : {}),
          },
        });
        return { ...made, notice };
      });
      if (notice) announce(notice);
      responseHeaders.append("set-cookie", sessionCookie(text, sessionMs, { storeId, secure: isReachedByTls(request) }));
      return { ...describe(principal), expiresAt };
    }),

    get: api.session.get.handler(({ context: { principal } }) => describe(principal)),

    end: api.session.end.handler(async ({ context: { principal, responseHeaders } }) => {
      for (const cookie of clearedSessionCookies(storeId)) responseHeaders.append("set-cookie", cookie);
      const { session } = principal;
      if (session === undefined) return { ended: false };
      const notice = await db.transaction(async (tx) => {
        await recordAudit(tx, { actor: principal.subject, action: "session.end", target: session.id });
        return await forget(tx, session.id);
      });
      announce(notice);
      return { ended: true };
    }),
  });
};

const describe = ({ tokenId, role, subject, session }: Principal) => ({
  tokenId,
  role,
  subject,
  ...(session ? { expiresAt: session.expiresAt } : {}),
});

function assertMaySignIn({ role }: Principal): void {
  if (role !== "host" && role !== "metrics") return;
  throw new LarderError("E_FORBIDDEN", `A token of role ${role} cannot sign in.`, {
    hint: "Make one for yourself: larder tokens create NAME --role viewer",
  });
}

/** The browser says so in `Origin`, where something in front of this server ends TLS. */
const isReachedByTls = ({ url, headers }: Pick<Request, "url" | "headers">): boolean =>
  new URL(url).protocol === "https:" || (headers.get("origin") ?? "").startsWith("https://");
