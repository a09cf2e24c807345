import type { EnvironmentName, Generation } from "../../contract/index.ts";
import { LarderError } from "../../contract/index.ts";
import { type Db, lockEnvironment } from "../../db/index.ts";
import type { DesiredStateSigner } from "../install/install-options.ts";
import { commitCopy, readOriginal } from "./commit-copy.ts";

interface Rollback {
  environment: EnvironmentName;
  number: number;
  requestedBy: string;
  note?: string | undefined;
}

/**
 * A new generation with an older one's manifest: no network, no resolve, and hosts still only go forward. The allowlist stays as it is. Throws
 * `E_NOT_FOUND`, or `E_CONFLICT` when the generation is the current one or has the same packages.
 */
export async function rollbackTo(
  db: Db,
  signer: DesiredStateSigner,
  { environment, number, requestedBy, note }: Rollback,
): Promise<Generation> {
  return await db.transaction(async (tx) => {
    // First, so that a collection does not drop the manifest meanwhile.
    await lockEnvironment(tx, environment);
    const original = await readOriginal(tx, environment, number);
    if (original.current?.lockfileHash === original.generation.lockfileHash) {
      throw new LarderError("E_CONFLICT", `Generation ${number} is what generation ${original.current.number} serves already.`, {
        hint: "`larder generations` shows what each one holds.",
      });
    }
    return await commitCopy(tx, { db, signer }, original, {
      environment,
      requestedBy,
      origin: { reason: "rollback", rollbackOf: number },
      note,
      audit: { action: "generation.rollback", target: `${environment}/${number}` },
    });
  });
}
