import { and, desc, eq, lt, sql } from "drizzle-orm";
import type { EnvironmentName, Generation, GenerationChanges, Id, LockfileHash, SignedDesiredState } from "../contract/index.ts";
import { putDesiredState } from "./desired-states.ts";
import { isCurrentEpoch } from "./election.ts";
import { lockEnvironment } from "./environments.ts";
import { cutPage, type Page } from "./page.ts";
import type { Queryable } from "./queryable.ts";
import { lastGenerationOfRemoved } from "./remove-environment.ts";
import { environments, generations, manifests } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

const columns = {
  environment: generations.environment,
  number: generations.number,
  lockfileHash: generations.lockfileHash,
  createdAt: generations.createdAt,
  createdBy: generations.createdBy,
  reason: generations.reason,
  rollbackOf: generations.rollbackOf,
  promotedFrom: generations.promotedFrom,
  note: generations.note,
  changes: generations.changes,
  operationId: generations.operationId,
  packages: generations.packages,
  nodes: generations.nodes,
  current: sql<boolean>`${generations.number} = ${environments.generationCounter}`,
  available: sql<boolean>`exists (select 1 from ${manifests} where ${manifests.lockfileHash} = ${generations.lockfileHash})`,
};

/** Newest first. */
export async function listGenerations(
  tx: Queryable,
  environment: EnvironmentName,
  { limit = 50 }: { limit?: number } = {},
): Promise<Generation[]> {
  return (await pageOfGenerations(tx, environment, { limit })).items;
}

/** Newest first. */
export async function pageOfGenerations(
  tx: Queryable,
  environment: EnvironmentName,
  { limit, after }: { limit: number; after?: number | undefined },
): Promise<Page<Generation, number>> {
  const older = after === undefined ? undefined : lt(generations.number, after);
  const rows = await select(tx)
    .where(and(eq(generations.environment, environment), older))
    .orderBy(desc(generations.number))
    .limit(limit + 1);
  return cutPage(rows, { limit, itemOf: withoutNulls, cursorOf: (row) => row.number });
}

export async function getGeneration(
  tx: Queryable,
  environment: EnvironmentName,
  number: number,
): Promise<Generation | undefined> {
  const [row] = await select(tx).where(and(eq(generations.environment, environment), eq(generations.number, number)));
  return row && withoutNulls(row);
}

export async function currentGeneration(tx: Queryable, environment: EnvironmentName): Promise<Generation | undefined> {
  const [row] = await select(tx).where(
    and(eq(generations.environment, environment), eq(generations.number, environments.generationCounter)),
  );
  return row && withoutNulls(row);
}

/** An empty note removes it. `undefined`: no such generation. */
export async function setGenerationNote(
  tx: Queryable,
  environment: EnvironmentName,
  { number, note }: { number: number; note: string },
): Promise<Generation | undefined> {
  await tx
    .update(generations)
    .set({ note: note || null })
    .where(and(eq(generations.environment, environment), eq(generations.number, number)));
  return await getGeneration(tx, environment, number);
}

const select = (tx: Queryable) =>
  tx.select(columns).from(generations).innerJoin(environments, eq(environments.name, generations.environment));

export interface GenerationCommit {
  environment: EnvironmentName;
  /** The installer's. Absent for a rollback or promotion, which needs no election: the environment's row lock orders it. */
  epoch?: number;
  /** The allowlist revision that `packages` were read at. Absent for a rollback or promotion. */
  expectedRevision?: number;
  /** Its manifest and blobs must be there. */
  lockfileHash: LockfileHash;
  nodes: number;
  packages: Generation["packages"];
  createdBy: string;
  reason: Generation["reason"];
  rollbackOf?: number | undefined;
  promotedFrom?: Generation["promotedFrom"];
  note?: string;
  /** Its number is above this one, besides all before it. */
  after?: number;
  operationId?: Id;
  /** What changes against the generation that this one follows, for histories to show. */
  readChanges?(previous: LockfileHash | undefined): Promise<GenerationChanges | undefined>;
  /** Makes the desired state for the number that the generation gets. */
  sign(number: number): Promise<SignedDesiredState>;
}

export type CommitResult =
  | { kind: "committed"; generation: Generation }
  /** The allowlist has changed since it was read: plan again. */
  | { kind: "stale"; revision: number }
  /** The election was lost: stop. */
  | { kind: "fenced" };

/**
 * In a transaction of its own: the next generation, its desired state, and the environment's counter, all or nothing. Compares the epoch and
 * the allowlist's revision first, and holds both until the transaction ends. The environment must exist.
 */
export async function commitGeneration(tx: Queryable, commit: GenerationCommit): Promise<CommitResult> {
  if (commit.epoch !== undefined && !(await isCurrentEpoch(tx, commit.epoch))) return { kind: "fenced" };
  const state = await lockEnvironment(tx, commit.environment);
  if (!state) throw new Error(`commitGeneration: no environment ${commit.environment}`);
  const revision = state.allowlistRevision;
  if (commit.expectedRevision !== undefined && commit.expectedRevision !== revision) return { kind: "stale", revision };
  const previous = await currentGeneration(tx, commit.environment);
  const last = state.generation || (await lastGenerationOfRemoved(tx, commit.environment));
  const number = Math.max(last, commit.after ?? 0) + 1;
  const { epoch: _epoch, expectedRevision: _expected, after: _after, sign, readChanges, ...values } = commit;
  const changes = await readChanges?.(previous?.lockfileHash);
  await tx.insert(generations).values({ ...values, ...(changes ? { changes } : {}), number, allowlistRevision: revision });
  await tx.update(environments).set({ generationCounter: number }).where(eq(environments.name, commit.environment));
  await putDesiredState(tx, await sign(number));
  const generation = await getGeneration(tx, commit.environment, number);
  if (!generation) throw new Error("commitGeneration: the new row is missing");
  return { kind: "committed", generation };
}
