import { defaultEnvironment, type EnvironmentName, type Id, LarderError } from "../../contract/index.ts";
import { activeOperation, listHosts, lockEnvironment, recordAudit, removeEnvironment, revokeHost } from "../../db/index.ts";
import { noSuchEnvironment } from "../../operations/index.ts";
import type { Principal } from "../auth/principal.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice, type Notice } from "../events/notice.ts";

export interface Removal {
  environment: EnvironmentName;
  /** Instead of refusing because of them. Each keeps the tree that it has, and hears no more. */
  revokeHosts: boolean;
  principal: Principal;
}

/** Answers with the hosts that were revoked. Throws `E_NOT_FOUND`, `E_INPUT` for the default one, `E_CONFLICT` for hosts, `E_BUSY` for an operation. */
export async function removeEnvironmentFor(
  { db, announce }: Pick<ServerContext, "db" | "announce">,
  { environment, revokeHosts, principal }: Removal,
): Promise<Id[]> {
  if (environment === defaultEnvironment) {
    throw new LarderError("E_INPUT", `Environment ${environment} cannot be removed.`, {
      hint: "Remove its packages and install to have it empty: larder remove NAME; larder install",
      details: { field: "environment" },
    });
  }
  const revoked = await db.transaction(async (tx) => {
    if ((await lockEnvironment(tx, environment)) === undefined) throw noSuchEnvironment(environment);
    const underWay = await activeOperation(tx, { kind: "install", environment });
    if (underWay) throw busy(environment, underWay.id);
    const hosts = (await listHosts(tx, environment)).map(({ id }) => id);
    if (hosts.length > 0 && !revokeHosts) throw hasHosts(environment, hosts);
    for (const id of hosts) await revokeHost(tx, id);
    await removeEnvironment(tx, environment);
    const details = hosts.length > 0 ? { revokedHosts: hosts } : {};
    await recordAudit(tx, { actor: principal.subject, action: "environment.remove", target: environment, details });
    const notices = hosts.map((hostId): Notice => ({ type: "revoked", hostId }));
    for (const notice of notices) await db.notify(tx, formatNotice(notice));
    return { hosts, notices };
  });
  for (const notice of revoked.notices) announce(notice);
  return revoked.hosts;
}

const busy = (environment: EnvironmentName, operation: Id): LarderError =>
  new LarderError("E_BUSY", `An install of ${environment} is under way.`, {
    hint: `Wait for it, or stop it: larder operations cancel ${operation}`,
    details: { operation },
  });

const hasHosts = (environment: EnvironmentName, hosts: Id[]): LarderError =>
  new LarderError("E_CONFLICT", `${hosts.length} host(s) are enrolled in ${environment}: ${hosts.slice(0, 5).join(", ")}.`, {
    hint: "Revoke them, or enrol them elsewhere, first; `larder environments remove NAME --force` revokes them all.",
    details: { hosts: hosts.slice(0, 100), count: hosts.length },
  });
