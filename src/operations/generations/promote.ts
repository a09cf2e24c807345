import { type EnvironmentName, type Generation, LarderError, type PackageName, parseManifest } from "../../contract/index.ts";
import { currentGeneration, type Db, lockEnvironment, replacePackages } from "../../db/index.ts";
import type { DesiredStateSigner } from "../install/install-options.ts";
import { noSuchEnvironment } from "../no-such-environment.ts";
import { notice } from "../notices.ts";
import { assertPolicyAllows } from "./assert-policy-allows.ts";
import { commitCopy, readOriginal } from "./commit-copy.ts";

export interface Promotion {
  from: EnvironmentName;
  number: number;
  to: EnvironmentName;
  requestedBy: string;
  note?: string | undefined;
  /** The host of the registry that a name is asked for at. */
  registryOf(name: PackageName): string;
}

/**
 * A new generation of another environment with the very manifest that was tried in this one: no network, no resolve. The target's allowlist becomes the
 * generation's packages, so that its next install starts from what it serves. Throws `E_NOT_FOUND`, `E_INPUT` for one environment, `E_CONFLICT` when the target
 * serves the manifest already, and `E_POLICY` when its policy refuses a version.
 */
export async function promote(
  db: Db,
  signer: DesiredStateSigner,
  { from, number, to, requestedBy, note, registryOf }: Promotion,
): Promise<Generation> {
  if (from === to) {
    throw new LarderError("E_INPUT", `Generation ${number} is of ${to} already.`, {
      hint: `To serve it again: larder rollback ${number}`,
      details: { field: "to" },
    });
  }
  return await db.transaction(async (tx) => {
    // In one order, that of collections: two promotions in opposite directions wait for each other instead of failing.
    for (const name of [from, to].sort()) {
      if ((await lockEnvironment(tx, name)) === undefined) throw noSuchEnvironment(name);
    }
    const original = await readOriginal(tx, from, number);
    const serving = await currentGeneration(tx, to);
    if (serving?.lockfileHash === original.generation.lockfileHash) {
      throw new LarderError(
        "E_CONFLICT",
        `Generation ${serving.number} of ${to} serves the very packages of ${from}'s ${number} already.`,
      );
    }
    const manifest = parseManifest(original.manifest.body);
    const { packages, createdAt } = original.generation;
    await assertPolicyAllows(tx, { environment: to, manifest, knownSince: createdAt, registryOf });
    const allowlist = await replacePackages(tx, to, { pins: packages, addedBy: requestedBy });
    if (allowlist.changed) await db.notify(tx, notice({ type: "packages", environment: to }));
    return await commitCopy(tx, { db, signer }, original, {
      environment: to,
      requestedBy,
      origin: { reason: "promotion", promotedFrom: { environment: from, number } },
      note,
      audit: {
        action: "generation.promote",
        target: to,
        details: { from, number, removedPackages: allowlist.removed },
      },
    });
  });
}
