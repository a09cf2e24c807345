import type { Event } from "../../contract/index.ts";
import type { Principal } from "../auth/principal.ts";

/** Users see everything; a host its environment's new generations and its own wake-ups. Pure. */
export function isVisibleTo({ role, host }: Pick<Principal, "role" | "host">, event: Event): boolean {
  if (role !== "host") return event.type !== "run";
  if (event.type === "desired") return event.environment === host?.environment;
  if (event.type === "reconcile" || event.type === "run") return event.hostId === host?.id;
  return false;
}
