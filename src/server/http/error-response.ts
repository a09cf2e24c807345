import { httpStatusOf, type LarderError } from "../../contract/index.ts";

/** `{code, message, hint?, details?}` with the status that belongs to the code, or another. */
export function errorResponse(error: LarderError, status = httpStatusOf(error.code)): Response {
  const allowed = error.code === "E_METHOD_NOT_ALLOWED" ? error.details?.allowed : undefined;
  const wait = error.details?.retryAfterSeconds;
  return Response.json(error.toBody(), {
    status,
    headers: {
      "cache-control": "no-store",
      ...(error.code === "E_UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {}),
      ...(Array.isArray(allowed) ? { allow: allowed.join(", ") } : {}),
      ...(typeof wait === "number" ? { "retry-after": String(wait) } : {}),
    },
  });
}
