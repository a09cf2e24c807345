import type { Event } from "../../contract/index.ts";
import type { Principal } from "../auth/principal.ts";

/** Users see everything; a host its environment's new generations and its own wake-ups. Pure. */
export function isVisibleTo({ role, host }: Pick<Principal, "role" | "host">, event: Event): boolean {
  if (role !== "host") return true;
  if (event.type === "desired") return event.environment === host?.environment;
  if (event.type === "reconcile") return event.hostId === host?.id;
  return false;
}
