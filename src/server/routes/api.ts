import { implement } from "@orpc/server";
import { contract } from "../../contract/index.ts";
import type { Principal } from "../auth/principal.ts";

/** What a contract route learns of its caller besides the input. */
export interface CallContext {
  /** Reading it throws where the access table says `anyone`. */
  principal: Principal;
  requestId: string;
  signal: AbortSignal;
  /** As it came, without its body. */
  request: Pick<Request, "url" | "headers">;
  /** What the answer carries besides its own. */
  responseHeaders: Headers;
}

/** The contract, to be implemented. */
export const api = implement(contract).$context<CallContext>();

/** For answers with a whole fleet, whose form the compiler has seen: checking thousands of hosts at run time takes longer than reading them. */
export const apiOfFleets = implement(contract).$config({ initialOutputValidationIndex: Number.NaN }).$context<CallContext>();
