import { implement } from "@orpc/server";
import { contract } from "../../contract/index.ts";
import type { Principal } from "../auth/principal.ts";

/** What a contract route learns of its caller besides the input. */
export interface CallContext {
  principal: Principal;
  requestId: string;
  signal: AbortSignal;
}

/** The contract, to be implemented. */
export const api = implement(contract).$context<CallContext>();
