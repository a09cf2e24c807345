import { environmentOf, type Id, LarderError, type Operation } from "../../contract/index.ts";
import { getOperation, listOperations, recordAudit, requestOperationCancel } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";
import { api } from "./api.ts";

export const operationRoutes = ({ db }: ServerContext) =>
  api.operations.router({
    list: api.operations.list.handler(({ input: { limit } }) => listOperations(db.query, { limit })),
    get: api.operations.get.handler(async ({ input: { id } }) => known(id, await getOperation(db.query, id))),
    cancel: api.operations.cancel.handler(({ input: { id }, context: { principal } }) =>
      db.transaction(async (tx) => {
        const before = known(id, await getOperation(tx, id));
        if (before.state !== "queued" && before.state !== "running") return before;
        const after = known(id, await requestOperationCancel(tx, id));
        const target = `${environmentOf(after) ?? "storage"}/${id}`;
        await recordAudit(tx, { actor: principal.subject, action: "operation.cancel", target, details: { kind: after.kind } });
        await db.notify(tx, formatNotice({ type: "operation", id }));
        return after;
      }),
    ),
  });

function known(id: Id, operation: Operation | undefined): Operation {
  if (operation) return operation;
  throw new LarderError("E_NOT_FOUND", `There is no operation ${id}.`, {
    hint: "`larder operations list` shows the latest.",
    details: { id },
  });
}
