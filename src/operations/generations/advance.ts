import { type EnvironmentName, type Generation, LarderError } from "../../contract/index.ts";
import { type Db, lockEnvironment } from "../../db/index.ts";
import type { DesiredStateSigner } from "../install/install-options.ts";
import { commitCopy, readOriginal } from "./commit-copy.ts";

interface Advance {
  environment: EnvironmentName;
  /** The highest number that a host has accepted. */
  past: number;
  requestedBy: string;
}

/**
 * What is current, once more, under a number above `past`: after the database was restored from a backup, hosts that were further on follow again without
 * going back. Throws `E_CONFLICT` when the current number is above it already, `E_NOT_READY` before the first install.
 */
export async function advancePast(
  db: Db,
  signer: DesiredStateSigner,
  { environment, past, requestedBy }: Advance,
): Promise<Generation> {
  return await db.transaction(async (tx) => {
    const generation = (await lockEnvironment(tx, environment))?.generation ?? 0;
    if (generation === 0) {
      throw new LarderError("E_NOT_READY", `Nothing was installed in environment ${environment} yet.`, {
        hint: "Run `larder install` first, then this again.",
      });
    }
    if (generation > past) {
      throw new LarderError("E_CONFLICT", `Generation ${generation} is past ${past} already.`, {
        hint: "Hosts follow by themselves: larder hosts list",
      });
    }
    return await commitCopy(tx, { db, signer }, await readOriginal(tx, environment, generation), {
      environment,
      requestedBy,
      origin: { reason: "rollback", rollbackOf: generation },
      after: past,
      note: `Past generation ${past}, which hosts had accepted`,
      audit: { action: "generation.advance", target: `${environment}/${generation}`, details: { past } },
    });
  });
}
