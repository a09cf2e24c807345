import { LarderError } from "../../contract/index.ts";
import { callingHost } from "../auth/calling-host.ts";
import type { DesiredCache } from "../desired/desired-cache.ts";
import { errorResponse } from "../http/error-response.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import { matchesEtag, notModified } from "./etag.ts";

export async function getDesired({ request, principal }: Exchange, { desired }: { desired: DesiredCache }): Promise<Response> {
  const { environment } = callingHost(principal);
  const current = await desired.current(environment);
  if (current === undefined) {
    const error = new LarderError("E_NOT_READY", `Nothing was installed in environment ${environment} yet.`, {
      hint: "Run `larder install`; hosts follow by themselves.",
    });
    // Not 503: the server is well, there is just no such document yet.
    return errorResponse(error, 404);
  }
  const headers = { etag: current.etag, "cache-control": "private, no-cache" };
  if (matchesEtag(request.headers.get("if-none-match"), current.etag)) return notModified(headers);
  return new Response(current.body, { headers: { ...headers, "content-type": "application/json" } });
}
