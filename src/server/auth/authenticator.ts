import { isLikeEnrolmentToken, LarderError } from "../../contract/index.ts";
import { type Db, findSession, findToken, type LiveSession, type TokenOwner, touchToken } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import type { Notice } from "../events/notice.ts";
import { isRevokedBy, type Principal } from "./principal.ts";
import { readSessionCookie } from "./session-cookie.ts";
import { hashOfToken } from "./token-text.ts";

export interface Authenticator {
  /** From an `Authorization` header. Throws `E_UNAUTHENTICATED`. */
  authenticate(header: string | null): Promise<Principal>;
  /** From a `Cookie` header. `undefined`: it names no session that is live. */
  findSession(cookie: string | null): Promise<Principal | undefined>;
  /** A revoked token or ended session is refused from the next call on. */
  notice(notice: Notice): void;
}

type Owner = TokenOwner & { session?: LiveSession };

interface Entry {
  principal: Principal;
  freshUntil: number;
}

interface AuthenticatorOptions {
  db: Db;
  logger: Logger;
  storeId: string;
}

/** How long another replica's revocation may go unseen when its notice is lost. */
const recheckMs = 1000;
const touchEveryMs = 60_000;
const cachedTokens = 10_000;
const finders = { token: findToken, session: findSession };

export function createAuthenticator({ db, logger, storeId }: AuthenticatorOptions): Authenticator {
  const entries = new Map<string, Entry>();
  const touchedAt = new Map<string, number>();
  let revocations = 0;

  const lookUp = async (kind: keyof typeof finders, text: string): Promise<Principal | undefined> => {
    const hash = hashOfToken(text);
    // With its kind: neither passes for the other.
    const key = `${kind} ${hash}`;
    const known = entries.get(key);
    const now = performance.now();
    if (known !== undefined && now < known.freshUntil) return known.principal;
    const revocationsBefore = revocations;
    const owner: Owner | undefined = await finders[kind](db.query, hash);
    if (owner === undefined) {
      entries.delete(key);
      return undefined;
    }
    const principal = principalOf(owner);
    const freshForMs = Math.min(recheckMs, owner.session?.expiresInMs ?? recheckMs);
    // What was read may be older than a revocation that came meanwhile.
    if (revocations === revocationsBefore) remember(entries, key, { principal, freshUntil: now + freshForMs });
    return principal;
  };

  const touch = (tokenId: string) => {
    const now = performance.now();
    if (now - (touchedAt.get(tokenId) ?? Number.NEGATIVE_INFINITY) < touchEveryMs) return;
    remember(touchedAt, tokenId, now);
    touchToken(db.query, tokenId).catch((error: unknown) => logger.debug({ err: error }, "a token's last use was not recorded"));
  };

  return {
    async authenticate(header) {
      const text = bearerToken(header);
      if (text !== undefined && isLikeEnrolmentToken(text)) throw notForThis();
      if (text === undefined) throw unauthenticated(header === null ? "This needs a token." : "What was sent is not a token.");
      const principal = await lookUp("token", text);
      if (principal === undefined) throw unauthenticated("This token is not known here, or was revoked.");
      touch(principal.tokenId);
      return principal;
    },
    async findSession(cookie) {
      const text = readSessionCookie(cookie, storeId);
      const principal = text === undefined ? undefined : await lookUp("session", text);
      if (principal) touch(principal.tokenId);
      return principal;
    },
    notice(notice) {
      if (notice.type === "resumed") {
        revocations++;
        entries.clear();
      }
      if (notice.type !== "revoked") return;
      revocations++;
      for (const [key, { principal }] of entries) if (isRevokedBy(principal, notice)) entries.delete(key);
    },
  };
}

const principalOf = ({ id, role, subject, session }: Owner): Principal => ({ tokenId: id, role, subject, session });

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= cachedTokens) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}

function bearerToken(header: string | null): string | undefined {
  return /^Bearer +(\S{16,300}) *$/i.exec(header ?? "")?.[1];
}

const notForThis = (): LarderError =>
  new LarderError("E_UNAUTHENTICATED", "An enrolment token is for joining, and for nothing else.", {
    hint: "Start the host's agent with it: larder agent --server URL --token TOKEN.",
  });

const unauthenticated = (message: string): LarderError =>
  new LarderError("E_UNAUTHENTICATED", message, {
    hint: "Send `Authorization: Bearer TOKEN`; the admin token of a data directory is in control/admin-token.",
  });
