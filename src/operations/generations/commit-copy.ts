import { type EnvironmentName, type Generation, LarderError, parseManifest } from "../../contract/index.ts";
import {
  type AuditEntry,
  commitGeneration,
  currentGeneration,
  type Db,
  getGeneration,
  getManifest,
  type Queryable,
  recordAudit,
  type StoredManifest,
} from "../../db/index.ts";
import { assertNotRevoked } from "../assert-not-revoked.ts";
import type { DesiredStateSigner } from "../install/install-options.ts";
import { notice } from "../notices.ts";
import { readChanges } from "./read-changes.ts";

/** A generation whose manifest another one will have. */
export interface Original {
  generation: Generation;
  manifest: StoredManifest;
  /** Of its environment. */
  current: Generation | undefined;
}

/** With the environment locked, so that a collection does not drop the manifest meanwhile. Throws `E_NOT_FOUND`. */
export async function readOriginal(tx: Queryable, environment: EnvironmentName, number: number): Promise<Original> {
  const generation = await getGeneration(tx, environment, number);
  if (generation === undefined) {
    throw new LarderError("E_NOT_FOUND", `Environment ${environment} has no generation ${number}.`, {
      hint: "`larder generations` shows those there are.",
      details: { environment, generation: number },
    });
  }
  const manifest = await getManifest(tx, generation.lockfileHash);
  if (manifest === undefined) throw noLongerAvailable(generation);
  return { generation, manifest, current: await currentGeneration(tx, environment) };
}

interface Copy {
  environment: EnvironmentName;
  requestedBy: string;
  origin: Pick<Generation, "reason" | "rollbackOf" | "promotedFrom">;
  note: string | undefined;
  /** Its number is above this one. */
  after?: number;
  audit: Omit<AuditEntry, "actor">;
}

/** The next generation of an environment, with the manifest of another one, its desired state, its notice and its row in the audit log. Throws `E_POLICY`. */
export async function commitCopy(
  tx: Queryable,
  { db, signer }: { db: Db; signer: DesiredStateSigner },
  { generation: { lockfileHash, nodes, packages }, manifest }: Original,
  { environment, requestedBy, origin, note, after, audit }: Copy,
): Promise<Generation> {
  await assertNotRevoked(tx, parseManifest(manifest.body));
  const outcome = await commitGeneration(tx, {
    environment,
    lockfileHash,
    nodes,
    packages,
    createdBy: requestedBy,
    ...origin,
    ...(note ? { note } : {}),
    ...(after === undefined ? {} : { after }),
    readChanges: (previous) => readChanges(tx, { previous, lockfileHash }),
    sign: (generation) => signer.sign({ environment, generation, lockfileHash, manifestDigest: manifest.digest }),
  });
  if (outcome.kind !== "committed") throw new Error(`a ${origin.reason} ended as ${outcome.kind}`);
  const { number } = outcome.generation;
  const details = { ...audit.details, generation: number, lockfileHash };
  await recordAudit(tx, { actor: requestedBy, ...audit, details });
  await db.notify(tx, notice({ type: "desired", environment, generation: number }));
  return outcome.generation;
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
