import { type EnvironmentName, type Generation, LarderError } from "../../contract/index.ts";
import {
  commitGeneration,
  currentGeneration,
  type Db,
  getGeneration,
  getManifest,
  lockEnvironment,
  recordAudit,
} from "../../db/index.ts";
import type { DesiredStateSigner } from "../install/install-options.ts";
import { notice } from "../notices.ts";

/**
 * A new generation with an older one's manifest: no network, no resolve, and hosts still only go forward. The allowlist stays as it is. Throws
 * `E_NOT_FOUND`, or `E_CONFLICT` when the generation is the current one or has the same packages.
 */
export async function rollbackTo(
  db: Db,
  signer: DesiredStateSigner,
  { environment, number, requestedBy }: { environment: EnvironmentName; number: number; requestedBy: string },
): Promise<Generation> {
  return await db.transaction(async (tx) => {
    // First, so that a collection does not drop the manifest meanwhile.
    await lockEnvironment(tx, environment);
    const [target, current] = [await getGeneration(tx, environment, number), await currentGeneration(tx, environment)];
    const manifest = target && (await getManifest(tx, target.lockfileHash));
    if (target !== undefined && manifest === undefined) throw noLongerAvailable(target);
    if (target === undefined || manifest === undefined) {
      throw new LarderError("E_NOT_FOUND", `Environment ${environment} has no generation ${number}.`, {
        hint: "`larder generations` lists those that can be rolled back to.",
      });
    }
    if (target.lockfileHash === current?.lockfileHash) {
      throw new LarderError("E_CONFLICT", `Generation ${number} is what generation ${current.number} serves already.`);
    }
    const { lockfileHash, nodes, packages } = target;
    const outcome = await commitGeneration(tx, {
      environment,
      lockfileHash,
      nodes,
      packages,
      createdBy: requestedBy,
      reason: "rollback",
      rollbackOf: number,
      sign: (generation) => signer.sign({ environment, generation, lockfileHash, manifestDigest: manifest.digest }),
    });
    if (outcome.kind !== "committed") throw new Error(`a rollback ended as ${outcome.kind}`);
    await recordAudit(tx, { actor: requestedBy, action: "generation.rollback", target: `${environment}/${number}` });
    await db.notify(tx, notice({ type: "desired", environment, generation: outcome.generation.number }));
    return outcome.generation;
  });
}

/** For a generation that is history only. */
export const noLongerAvailable = ({ environment, number }: Generation): LarderError =>
  new LarderError(
    "E_NOT_FOUND",
    `Generation ${number} of environment ${environment} is no longer available: its packages were collected.`,
    {
      hint: "`larder generations` shows those that are; `larder collect --keep N` and the setting `collectKeep` say how many stay.",
      details: { environment, generation: number },
    },
  );
