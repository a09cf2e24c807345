import { recordAudit } from "../../db/index.ts";
import { Mutex } from "../../lib/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";
import { startRotation } from "../secrets/rotate-key.ts";
import { api } from "./api.ts";

export const secretRoutes = ({ db, vault, controlDirectory, announce }: ServerContext) => {
  const oneAtATime = new Mutex();
  return api.secrets.router({
    rotate: api.secrets.rotate.handler(({ context: { principal } }) =>
      oneAtATime.run(async () => {
        const rotation = await startRotation({ db, vault, controlDirectory });
        const resealed = await db.transaction(async (tx) => {
          const count = await rotation.reseal(tx);
          await recordAudit(tx, {
            actor: principal.subject,
            action: "secrets.rotate",
            target: vault.source,
            details: { resealed: count },
          });
          await db.notify(tx, formatNotice({ type: "registries" }));
          return count;
        });
        await rotation.finish();
        announce({ type: "registries" });
        return { resealed, source: vault.source };
      }),
    ),
  });
};
