import { environmentOf, type Id, LarderError, type Operation } from "../../contract/index.ts";
import { getOperation, pageOfOperations, recordAudit, requestOperationCancel } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";
import { api } from "./api.ts";

export const operationRoutes = ({ db }: ServerContext) =>
  api.operations.router({
    list: api.operations.list.handler(({ input }) => pageOfOperations(db.query, input)),
    get: api.operations.get.handler(async ({ input: { id } }) => known(id, await getOperation(db.query, id))),
    cancel: api.operations.cancel.handler(({ input: { id }, context: { principal } }) =>
      db.transaction(async (tx) => {
        const asked = await requestOperationCancel(tx, id);
        const operation = known(id, asked?.operation);
        if (!asked?.changed) return operation;
        const { kind } = operation;
        const target = `${environmentOf(operation) ?? "storage"}/${id}`;
        await recordAudit(tx, { actor: principal.subject, action: "operation.cancel", target, details: { kind } });
        await db.notify(tx, formatNotice({ type: "operation", id }));
        return operation;
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
