import { hasCode } from "../../contract/index.ts";
import { assertEpoch, commitGeneration, fenced, listGenerations, noteReleases, putManifest } from "../../db/index.ts";
import { failpoint } from "../../lib/index.ts";
import { readChanges } from "../generations/read-changes.ts";
import { notice } from "../notices.ts";
import type { OperationRun } from "../operation-handler.ts";
import type { IdentifiedManifest, Timings } from "./install.ts";
import type { InstallOptions } from "./install-options.ts";
import type { InstallPlan } from "./read-inputs.ts";
import type { Resolved } from "./resolve.ts";

export interface CommitInput extends IdentifiedManifest, Pick<Resolved, "lockfile" | "manifest" | "verdict"> {
  run: OperationRun;
  plan: InstallPlan;
  nodes: number;
  timings: Timings;
}

type Committed = { generation: number; changed: boolean };

/**
 * Publish, then commit: manifest row, then in one transaction the generation, the desired state and one notice. `stale`: the allowlist has changed since
 * the plan. Throws `E_FENCED` when the election was lost. Resolving to what is current already makes no generation.
 */
export async function commitInstall(options: InstallOptions, input: CommitInput): Promise<Committed | "stale"> {
  const { db, signer } = options;
  const { run, plan, lockfileHash, digest, body, blobs, lockfile, manifest, verdict, nodes, timings } = input;
  const { environment, current, packages } = plan;
  const known = new Map([[lockfileHash, manifest]]);
  if (plan.previous) known.set(plan.previous.lockfileHash, plan.previous.manifest);
  if (current?.lockfileHash === lockfileHash) return { generation: current.number, changed: false };
  await timings.phase("publish", () =>
    db.transaction(async (tx) => {
      await assertEpoch(tx, run.epoch);
      await noteReleases(tx, verdict.releases);
      await putManifest(tx, { lockfileHash, digest, body, lockfile, nodes, blobs, addedDependencies: verdict.added });
    }),
  );
  await failpoint("install:published");
  return await timings.phase("commit", async () => {
    try {
      return await db.transaction(async (tx) => {
        const outcome = await commitGeneration(tx, {
          environment,
          epoch: run.epoch,
          expectedRevision: plan.revision,
          lockfileHash,
          nodes,
          packages,
          createdBy: run.operation.requestedBy,
          reason: "install",
          operationId: run.operation.id,
          readChanges: (previous) => readChanges(tx, { previous, lockfileHash, known }),
          sign: (generation) => signer.sign({ environment, generation, lockfileHash, manifestDigest: digest }),
        });
        if (outcome.kind === "stale") return "stale";
        if (outcome.kind === "fenced") throw fenced();
        const { number } = outcome.generation;
        await db.notify(tx, notice({ type: "desired", environment, generation: number }));
        await failpoint("install:before-commit");
        return { generation: number, changed: true };
      });
    } catch (error) {
      if (hasCode(error, "E_FENCED")) throw error;
      // The connection may have died after the commit and before its answer: the row knows.
      const own = (await listGenerations(db.query, environment, { limit: 3 })).find(
        ({ operationId }) => operationId === run.operation.id,
      );
      if (own === undefined) throw error;
      return { generation: own.number, changed: true };
    }
  });
}
