import { LarderError } from "../../contract/index.ts";
import { type Db, findToken, type TokenOwner, touchToken } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import type { Notice } from "../events/notice.ts";
import { isRevokedBy, type Principal } from "./principal.ts";
import { hashOfToken } from "./token-text.ts";

export interface Authenticator {
  /** From an `Authorization` header. Throws `E_UNAUTHENTICATED`. */
  authenticate(header: string | null): Promise<Principal>;
  /** A revoked token is refused from the next call on. */
  notice(notice: Notice): void;
}

interface Entry {
  principal: Principal;
  checkedAt: number;
}

/** How long another replica's revocation may go unseen when its notice is lost. */
const recheckMs = 1000;
const touchEveryMs = 60_000;
const cachedTokens = 10_000;

export function createAuthenticator({ db, logger }: { db: Db; logger: Logger }): Authenticator {
  const entries = new Map<string, Entry>();
  const touchedAt = new Map<string, number>();
  let revocations = 0;

  const lookUp = async (hash: string): Promise<Principal | undefined> => {
    const [checkedAt, revocationsBefore] = [performance.now(), revocations];
    const owner = await findToken(db.query, hash);
    if (owner === undefined) {
      entries.delete(hash);
      return undefined;
    }
    const principal = principalOf(owner);
    // What was read may be older than a revocation that came meanwhile.
    if (revocations === revocationsBefore) remember(entries, hash, { principal, checkedAt });
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
      if (text === undefined) throw unauthenticated(header === null ? "This needs a token." : "What was sent is not a token.");
      const hash = hashOfToken(text);
      const entry = entries.get(hash);
      const fresh = entry !== undefined && performance.now() - entry.checkedAt < recheckMs;
      const principal = fresh ? entry.principal : await lookUp(hash);
      if (principal === undefined) throw unauthenticated("This token is not known here, or was revoked.");
      touch(principal.tokenId);
      return principal;
    },
    notice(notice) {
      if (notice.type === "resumed") {
        revocations++;
        entries.clear();
      }
      if (notice.type !== "revoked") return;
      revocations++;
      for (const [hash, { principal }] of entries) if (isRevokedBy(principal, notice)) entries.delete(hash);
    },
  };
}

function principalOf({ id, role, subject, environment, hostId }: TokenOwner): Principal {
  const host = environment !== undefined && hostId !== undefined ? { id: hostId, environment } : undefined;
  return { tokenId: id, role, subject, host };
}

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

const unauthenticated = (message: string): LarderError =>
  new LarderError("E_UNAUTHENTICATED", message, {
    hint: "Send `Authorization: Bearer TOKEN`; the admin token of a data directory is in control/admin-token.",
  });
