import {
  type AuditInput,
  type CollectInput,
  LarderError,
  type MigrateInput,
  type Operation,
  type OperationKind,
  type OperationOf,
} from "../contract/index.ts";
import { type Db, insertOrJoinOperation, latestOperation, type OperationRequest, recordAudit } from "../db/index.ts";
import { notice } from "./notices.ts";

export interface Started<Kind extends OperationKind> {
  operation: OperationOf<Kind>;
  /** One of its kind was queued or running already, and this is it. */
  joined: boolean;
}

/** Throws `E_BUSY` while another target's migration is under way. */
export const requestMigration = (db: Db, request: { input: MigrateInput; requestedBy: string }): Promise<Started<"migrate">> =>
  requestStoreOperation(db, { kind: "migrate", ...request });

export const requestCollection = (db: Db, request: { input: CollectInput; requestedBy: string }): Promise<Started<"collect">> =>
  requestStoreOperation(db, { kind: "collect", ...request });

export const requestAudit = (db: Db, request: { input: AuditInput; requestedBy: string }): Promise<Started<"audit">> =>
  requestStoreOperation(db, { kind: "audit", ...request });

/** The target and the limits of the migration that was stopped, or is under way. Throws `E_CONFLICT`. */
export async function migrationToResume(db: Db): Promise<MigrateInput> {
  const latest = await latestOperation(db.query, "migrate");
  if (latest !== undefined && latest.state !== "succeeded") return latest.input;
  throw new LarderError(
    "E_CONFLICT",
    latest ? `The migration to ${latest.input.target} is complete.` : "There was no migration.",
    {
      hint: "Start one with `larder storage migrate TARGET`.",
    },
  );
}

type StoreRequest = Extract<OperationRequest, { input: object }>;

async function requestStoreOperation<Kind extends StoreRequest["kind"]>(
  db: Db,
  request: StoreRequest & { kind: Kind },
): Promise<Started<Kind>> {
  const { kind, input, requestedBy } = request as StoreRequest;
  return await db.transaction(async (tx) => {
    const { operation, joined } = await insertOrJoinOperation(tx, request);
    if (joined) assertSameTarget(operation, input);
    else {
      const details = { operation: operation.id, ...input };
      await recordAudit(tx, { actor: requestedBy, action: `storage.${kind}`, target: targetOf(input) ?? "all", details });
      await db.notify(tx, notice({ type: "operation", id: operation.id }));
    }
    return { operation: operation as OperationOf<Kind>, joined };
  });
}

const targetOf = (input: object): string | undefined => ("target" in input ? String(input.target) : undefined);

function assertSameTarget(operation: Operation, wanted: object): void {
  const [under, asked] = ["input" in operation ? targetOf(operation.input) : undefined, targetOf(wanted)];
  if (under === asked) return;
  throw new LarderError("E_BUSY", `A migration to ${under} is under way.`, {
    hint: `Wait for it, or stop it with \`larder storage cancel\`; then migrate to ${asked}.`,
    details: { operation: operation.id },
  });
}
