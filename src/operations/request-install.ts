import type { EnvironmentName, OperationOf } from "../contract/index.ts";
import { type Db, insertOrJoinOperation, recordAudit } from "../db/index.ts";
import { notice } from "./notices.ts";

/** Queues an install, or joins the one that is queued or running for the environment: every caller gets an id. */
export async function requestInstall(
  db: Db,
  request: { environment: EnvironmentName; requestedBy: string },
): Promise<{ operation: OperationOf<"install">; joined: boolean }> {
  return await db.transaction(async (tx) => {
    const answer = await insertOrJoinOperation(tx, { kind: "install", ...request });
    if (!answer.joined) {
      const { id } = answer.operation;
      const { environment, requestedBy } = request;
      await recordAudit(tx, { actor: requestedBy, action: "install.start", target: environment, details: { operation: id } });
      await db.notify(tx, notice({ type: "operation", id }));
    }
    return { ...answer, operation: answer.operation as OperationOf<"install"> };
  });
}
