import type { Event } from "../../contract/index.ts";
import { getOperation, type Queryable } from "../../db/index.ts";
import type { Notice } from "./notice.ts";

/** The event that a notice stands for, as its row is now. `undefined`: the row is gone, or the notice is not for clients, or hosts' changes are told another way. */
export async function readEvent(tx: Queryable, notice: Notice): Promise<Event | undefined> {
  switch (notice.type) {
    case "operation": {
      const operation = await getOperation(tx, notice.id);
      return operation && { type: "operation", operation };
    }
    case "hosts":
    case "revoked":
    case "registries":
    case "signingKey":
    case "runEnded":
    case "resumed":
      return undefined;
    default:
      return notice;
  }
}
