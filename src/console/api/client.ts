import { createORPCClient, ORPCError } from "@orpc/client";
import type { ContractRouterClient } from "@orpc/contract";
import { OpenAPILink } from "@orpc/openapi-client/fetch";
import { contract, errorBodySchema, LarderError } from "../../contract/index.ts";

type Client = ContractRouterClient<typeof contract>;

const link = new OpenAPILink(contract, {
  url: new URL("/api", location.href),
  customErrorResponseBodyDecoder: (body, { status }) => {
    const parsed = errorBodySchema.safeParse(body);
    return parsed.success ? new ORPCError(parsed.data.code, { status, data: parsed.data }) : undefined;
  },
  interceptors: [
    async ({ next }) => {
      try {
        return await next();
      } catch (error) {
        throw asLarderError(error);
      }
    },
  ],
});

/** The API as functions, with this browser's session. Whatever goes wrong is a `LarderError`. */
export const api: Client = createORPCClient(link);

function asLarderError(error: unknown): LarderError {
  if (error instanceof ORPCError) {
    const body = errorBodySchema.safeParse(error.data);
    if (body.success) return LarderError.fromBody(body.data);
    return new LarderError("E_SERVER_UNREACHABLE", `The control plane answered with HTTP status ${error.status}.`, {
      hint: "Is there a proxy in between? Try again in a moment.",
      retryable: true,
    });
  }
  if (error instanceof Error && error.name === "AbortError") return LarderError.from(error);
  return new LarderError("E_SERVER_UNREACHABLE", "The control plane does not answer.", {
    hint: "Check that it runs and that this machine reaches it. What you see here may be old.",
    retryable: true,
    cause: error,
  });
}
