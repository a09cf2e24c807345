import type { EnvironmentName, Id, Role } from "../../contract/index.ts";

/** Who calls: what a token stands for, or a host's key. A host's has the host, its environment and that key, no other has; `nonce` is of the proof for this one request. */
export interface Principal {
  tokenId: string;
  role: Role;
  /** Shown as "who" in histories. */
  subject: string;
  host?: { id: string; environment: EnvironmentName; publicKey: string; nonce?: string | undefined } | undefined;
  /** When a browser's cookie came instead of the token itself. */
  session?: { id: Id; expiresAt: string } | undefined;
}

/** Whether a revocation is of this token, of the host whose it is, or of this session. */
export const isRevokedBy = (
  { tokenId, host, session }: Pick<Principal, "tokenId" | "host" | "session">,
  revoked: { tokenId?: string | undefined; hostId?: string | undefined; sessionId?: string | undefined },
): boolean =>
  revoked.tokenId === tokenId ||
  (host !== undefined && revoked.hostId === host.id) ||
  (session !== undefined && revoked.sessionId === session.id);
