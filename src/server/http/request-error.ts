import { ORPCError } from "@orpc/client";
import { ValidationError } from "@orpc/contract";
import { LarderError } from "../../contract/index.ts";

/** Any thrown value as what the caller may see. What is not a `LarderError` says nothing of the inside, only where to look. */
export function visibleError(thrown: unknown, requestId: string): LarderError {
  if (thrown instanceof ORPCError) return fromOrpc(thrown, requestId);
  const known = thrown instanceof LarderError && thrown.code !== "E_INTERNAL";
  return known ? thrown : internalError(thrown, requestId);
}

/** Of oRPC's own errors only the refusal of an input is for the caller. */
function fromOrpc(error: ORPCError<string, unknown>, requestId: string): LarderError {
  const issue = error.code === "BAD_REQUEST" && error.cause instanceof ValidationError ? error.cause.issues[0] : undefined;
  if (issue === undefined) return internalError(error, requestId);
  const field = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return new LarderError("E_INPUT", `${field || "The input"}: ${issue.message}.`, {
    hint: "See /api/openapi.json for what this route takes.",
    details: { field },
    cause: error,
  });
}

const internalError = (cause: unknown, requestId: string): LarderError =>
  new LarderError("E_INTERNAL", "Something went wrong inside Larder.", {
    hint: `Look for request ${requestId} in the server's log.`,
    details: { requestId },
    cause,
  });
