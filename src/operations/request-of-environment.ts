import type { EnvironmentName, OperationOf } from "../contract/index.ts";
import { type Db, insertOrJoinOperation, type OperationRequest, recordAudit } from "../db/index.ts";
import { notice } from "./notices.ts";
import type { Started } from "./request-operation.ts";

interface Request {
  environment: EnvironmentName;
  requestedBy: string;
}

type OfEnvironment = Exclude<OperationRequest, { input: object }>;

/** Queues an install, or joins the one that is queued or running for the environment: every caller gets an id. */
export const requestInstall = (db: Db, request: Request): Promise<Started<"install">> =>
  requestOfEnvironment(db, { kind: "install", ...request });

/** Likewise: what a host of the environment may lack is fetched. */
export const requestStock = (db: Db, request: Request): Promise<Started<"stock">> =>
  requestOfEnvironment(db, { kind: "stock", ...request });

async function requestOfEnvironment<Kind extends OfEnvironment["kind"]>(
  db: Db,
  request: OfEnvironment & { kind: Kind },
): Promise<Started<Kind>> {
  return await db.transaction(async (tx) => {
    const { operation, joined } = await insertOrJoinOperation(tx, request);
    if (!joined) {
      const { id } = operation;
      const { kind, environment, requestedBy } = request;
      await recordAudit(tx, { actor: requestedBy, action: `${kind}.start`, target: environment, details: { operation: id } });
      await db.notify(tx, notice({ type: "operation", id }));
    }
    return { operation: operation as OperationOf<Kind>, joined };
  });
}
