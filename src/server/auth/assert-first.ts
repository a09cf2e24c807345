import { LarderError, proofAheadMs, proofLifeMs } from "../../contract/index.ts";
import { type Queryable, spendProof } from "../../db/index.ts";
import type { Principal } from "./principal.ts";

/**
 * In the transaction of what a host asked for: throws `E_UNAUTHENTICATED` when any replica has answered this very request before. For what gives something away;
 * where a repetition changes nothing (a report is numbered, a script's outcome is written once), what each replica remembers is enough.
 */
export async function assertFirst(tx: Queryable, { id, nonce }: NonNullable<Principal["host"]>): Promise<void> {
  if (nonce !== undefined && (await spendProof(tx, { hostId: id, nonce, keepMs: 2 * (proofLifeMs + proofAheadMs) }))) return;
  throw new LarderError("E_UNAUTHENTICATED", "This request was made before.");
}
