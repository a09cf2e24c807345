import type { EnvironmentName, Role } from "../../contract/index.ts";

/** Who calls: what a token stands for. A host's has the host and its environment, no other has. */
export interface Principal {
  tokenId: string;
  role: Role;
  /** Shown as "who" in histories. */
  subject: string;
  host?: { id: string; environment: EnvironmentName } | undefined;
}

/** Whether a revocation is of this token, or of the host whose it is. */
export const isRevokedBy = (
  { tokenId, host }: Pick<Principal, "tokenId" | "host">,
  revoked: { tokenId?: string | undefined; hostId?: string | undefined },
): boolean => revoked.tokenId === tokenId || (host !== undefined && revoked.hostId === host.id);
