import { and, asc, desc, eq, inArray, isNull, lt, not, type SQL, sql } from "drizzle-orm";
import type {
  EnvironmentName,
  ErrorBody,
  Id,
  Operation,
  OperationKind,
  OperationOf,
  OperationResult,
  OperationState,
  Progress,
} from "../contract/index.ts";
import { epochHolds } from "./election.ts";
import { cutPage, type Page } from "./page.ts";
import type { Queryable } from "./queryable.ts";
import { operations } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

const columns = {
  id: operations.id,
  kind: operations.kind,
  environment: operations.environment,
  input: operations.input,
  state: operations.state,
  attempt: operations.attempt,
  requestedBy: operations.requestedBy,
  createdAt: operations.createdAt,
  startedAt: operations.startedAt,
  endedAt: operations.endedAt,
  progress: operations.progress,
  result: operations.result,
  error: operations.error,
};
const active: OperationState[] = ["queued", "running"];
const maxAttempts = 3;
/** What goes on from where it was, however often its replica is killed. */
const alwaysResumed: OperationKind[] = ["migrate", "audit"];

export const newOperationId = (): Id => `op-${crypto.randomUUID()}`;

/** Some kinds are of an environment, the others have an input. */
export type OperationRequest = { [Kind in OperationKind]: Requested<Kind> }[OperationKind];
type Requested<Kind extends OperationKind> = Pick<OperationOf<Kind>, "kind" | "requestedBy"> &
  (OperationOf<Kind> extends { input: infer Input } ? { input: Input } : { environment: EnvironmentName });

/** Queues an operation, or joins the one of its kind (and environment) that is queued or running, whatever its input. */
export async function insertOrJoinOperation(
  tx: Queryable,
  request: OperationRequest,
): Promise<{ operation: Operation; joined: boolean }> {
  for (;;) {
    const [inserted] = await tx
      .insert(operations)
      .values({ id: newOperationId(), ...request })
      .onConflictDoNothing()
      .returning(columns);
    if (inserted) return { operation: operationOf(inserted), joined: false };
    const existing = await activeOperation(tx, request);
    if (existing) return { operation: existing, joined: true };
  }
}

/** The queued or running one. */
export async function activeOperation(
  tx: Queryable,
  { kind, environment }: { kind: OperationKind; environment?: EnvironmentName },
): Promise<Operation | undefined> {
  const ofEnvironment = environment === undefined ? isNull(operations.environment) : eq(operations.environment, environment);
  const [row] = await tx
    .select(columns)
    .from(operations)
    .where(and(eq(operations.kind, kind), ofEnvironment, inArray(operations.state, active)));
  return row && operationOf(row);
}

/** The newest of a kind, whatever became of it. */
export async function latestOperation<Kind extends OperationKind>(
  tx: Queryable,
  kind: Kind,
): Promise<OperationOf<Kind> | undefined> {
  const [row] = await tx
    .select(columns)
    .from(operations)
    .where(eq(operations.kind, kind))
    .orderBy(desc(operations.sequence))
    .limit(1);
  return row && (operationOf(row) as OperationOf<Kind>);
}

export async function getOperation(tx: Queryable, id: Id): Promise<Operation | undefined> {
  const [row] = await tx.select(columns).from(operations).where(eq(operations.id, id));
  return row && operationOf(row);
}

/** Newest first. */
export async function listOperations(
  tx: Queryable,
  { limit = 20, environment }: { limit?: number; environment?: EnvironmentName } = {},
): Promise<Operation[]> {
  return (await pageOfOperations(tx, { limit, environment })).items;
}

/** Newest first. */
export async function pageOfOperations(
  tx: Queryable,
  { limit, after, environment }: { limit: number; after?: number | undefined; environment?: EnvironmentName | undefined },
): Promise<Page<Operation, number>> {
  const { sequence } = operations;
  const rows = await tx
    .select({ ...columns, sequence })
    .from(operations)
    .where(
      and(
        environment === undefined ? undefined : eq(operations.environment, environment),
        after === undefined ? undefined : lt(sequence, after),
      ),
    )
    .orderBy(desc(sequence))
    .limit(limit + 1);
  return cutPage(rows, { limit, itemOf: ({ sequence: _, ...row }) => operationOf(row), cursorOf: (row) => row.sequence });
}

/** The attempt that was queued because this one was interrupted. @internal */
export async function retryOfOperation(tx: Queryable, id: Id): Promise<Operation | undefined> {
  const [row] = await tx.select(columns).from(operations).where(eq(operations.retryOf, id));
  return row && operationOf(row);
}

/** All that are queued or running. */
export async function listActiveOperations(tx: Queryable): Promise<Operation[]> {
  const rows = await tx
    .select(columns)
    .from(operations)
    .where(inArray(operations.state, active))
    .orderBy(asc(operations.sequence));
  return rows.map(operationOf);
}

/** queued → running, the longest waiting first. `undefined`: nothing is queued, or `epoch` is over. */
export async function claimNextOperation(tx: Queryable, epoch: number): Promise<Operation | undefined> {
  const next = tx
    .select({ id: operations.id })
    .from(operations)
    .where(eq(operations.state, "queued"))
    .orderBy(asc(operations.sequence))
    .limit(1)
    .for("update", { skipLocked: true });
  const [row] = await tx
    .update(operations)
    .set({ state: "running", epoch, startedAt: sql`now()` })
    .where(and(inArray(operations.id, next), eq(operations.state, "queued"), epochHolds(epoch)))
    .returning(columns);
  return row && operationOf(row);
}

/** Also the worker's look at what it should do next. `undefined`: fenced, or no longer running. */
export async function setOperationProgress(
  tx: Queryable,
  { id, epoch, progress }: { id: Id; epoch: number; progress: Progress },
): Promise<{ operation: Operation; cancelRequested: boolean } | undefined> {
  const [row] = await tx
    .update(operations)
    .set({ progress })
    .where(isMine(id, epoch))
    .returning({ ...columns, cancelRequested: operations.cancelRequested });
  if (!row) return undefined;
  const { cancelRequested, ...operation } = row;
  return { operation: operationOf(operation), cancelRequested };
}

export type OperationOutcome =
  | { state: "succeeded"; result?: OperationResult }
  | { state: "failed" | "cancelled"; error: ErrorBody };

/** running → ended. `undefined`: fenced, or no longer running; nothing changed. */
export async function finishOperation(
  tx: Queryable,
  { id, epoch, outcome }: { id: Id; epoch: number; outcome: OperationOutcome },
): Promise<Operation | undefined> {
  const [row] = await tx
    .update(operations)
    .set({ ...outcome, endedAt: sql`now()` })
    .where(isMine(id, epoch))
    .returning(columns);
  return row && operationOf(row);
}

/** running → queued, as the same attempt: what was under way lost its database, and is no crash. False: fenced, or no longer running. */
export async function requeueOperation(tx: Queryable, { id, epoch }: { id: Id; epoch: number }): Promise<boolean> {
  const rows = await tx
    .update(operations)
    .set({ state: "queued", startedAt: null, epoch: null, progress: null })
    .where(and(isMine(id, epoch), eq(operations.cancelRequested, false)))
    .returning({ id: operations.id });
  return rows.length > 0;
}

const isMine = (id: Id, epoch: number): SQL | undefined =>
  and(eq(operations.id, id), eq(operations.state, "running"), eq(operations.epoch, epoch), epochHolds(epoch));

export async function isCancelRequested(tx: Queryable, id: Id): Promise<boolean> {
  const [row] = await tx.select({ cancelRequested: operations.cancelRequested }).from(operations).where(eq(operations.id, id));
  return row?.cancelRequested ?? false;
}

/**
 * A queued one ends at once; a running one is asked to. `undefined`: unknown. One that has ended, or was asked before, is answered as it is: not `changed`.
 */
export async function requestOperationCancel(
  tx: Queryable,
  id: Id,
): Promise<{ operation: Operation; changed: boolean } | undefined> {
  const ended = sql`${operations.state} = 'queued'`;
  const rows = await tx
    .update(operations)
    .set({
      cancelRequested: true,
      state: sql`case when ${ended} then 'cancelled' else ${operations.state} end`,
      endedAt: sql`case when ${ended} then now() end`,
    })
    .where(and(eq(operations.id, id), inArray(operations.state, active), not(operations.cancelRequested)))
    .returning({ id: operations.id });
  const operation = await getOperation(tx, id);
  return operation && { operation, changed: rows.length > 0 };
}

/** The columns and the kinds of the contract agree by construction: who inserts gives an environment or an input. */
const operationOf = (row: { [Name in keyof typeof columns]: unknown }): Operation => withoutNulls(row) as unknown as Operation;

/**
 * What a newly elected control plane does first, in a transaction: running operations of earlier epochs have lost their replica. Each is
 * interrupted (or cancelled, if that was asked for), and tried again: migrations and audits always, for they go on from where they were; others unless it was
 * the third attempt.
 */
export async function interruptOrphanedOperations(
  tx: Queryable,
  epoch: number,
): Promise<{ interrupted: Operation[]; queued: Operation[] }> {
  const orphaned = and(eq(operations.state, "running"), lt(operations.epoch, epoch), epochHolds(epoch));
  const interrupted = await tx
    .update(operations)
    .set({
      state: sql`case when ${operations.cancelRequested} then 'cancelled' else 'interrupted' end`,
      error: {
        code: "E_INTERRUPTED",
        message: "The control plane that ran this operation stopped.",
        hint: "It is tried again by itself.",
      },
      endedAt: sql`now()`,
    })
    .where(orphaned)
    .returning(columns);
  const again = interrupted.filter(
    ({ kind, state, attempt }) => state === "interrupted" && (attempt < maxAttempts || alwaysResumed.includes(kind)),
  );
  if (again.length === 0) return { interrupted: interrupted.map(operationOf), queued: [] };
  const queued = await tx
    .insert(operations)
    .values(
      again.map(({ id, kind, environment, input, attempt, requestedBy }) => ({
        id: newOperationId(),
        kind,
        environment,
        input,
        attempt: attempt + 1,
        retryOf: id,
        requestedBy,
      })),
    )
    .returning(columns);
  return { interrupted: interrupted.map(operationOf), queued: queued.map(operationOf) };
}
