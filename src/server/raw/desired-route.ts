import { formatSignedTime, LarderError, nextKeyHeader, timeHeaders } from "../../contract/index.ts";
import { callingHost } from "../auth/calling-host.ts";
import type { DesiredCache } from "../desired/desired-cache.ts";
import { errorResponse } from "../http/error-response.ts";
import type { Exchange } from "../http/fetch-handler.ts";
import type { Signer } from "../signing/signer.ts";
import { matchesEtag, notModified } from "./etag.ts";

export async function getDesired(
  { request, principal }: Exchange,
  { desired, signer }: { desired: DesiredCache; signer: Signer },
): Promise<Response> {
  const { environment } = callingHost(principal);
  const current = await desired.current(environment);
  if (current === undefined) {
    const error = new LarderError("E_NOT_READY", `Nothing was installed in environment ${environment} yet.`, {
      hint: "Run `larder install`; hosts follow by themselves.",
    });
    // Not 503: the server is well, there is just no such document yet.
    return errorResponse(error, 404);
  }
  const { announcedKeyId } = signer;
  const next = announcedKeyId === undefined ? {} : { [nextKeyHeader]: announcedKeyId };
  const headers = { etag: current.etag, "cache-control": "private, no-cache", ...next };
  if (matchesEtag(request.headers.get("if-none-match"), current.etag)) return notModified(headers);
  const nonce = request.headers.get(timeHeaders.question);
  const time = nonce === null ? {} : { [timeHeaders.answer]: formatSignedTime(await signer.signTime(nonce.slice(0, 64))) };
  return new Response(current.body, { headers: { ...headers, ...time, "content-type": "application/json" } });
}
