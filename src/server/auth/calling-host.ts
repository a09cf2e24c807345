import type { Principal } from "./principal.ts";

/** The host behind a call that the access table allows to hosts only. */
export function callingHost(principal: Principal | undefined): NonNullable<Principal["host"]> {
  if (principal?.host === undefined) throw new Error("a route for hosts was reached by someone else");
  return principal.host;
}
