import { createORPCClient, ORPCError } from "@orpc/client";
import type { ContractRouterClient } from "@orpc/contract";
import { ResponseValidationPlugin } from "@orpc/contract/plugins";
import { OpenAPILink } from "@orpc/openapi-client/fetch";
import { contract, errorBodySchema, LarderError } from "../contract/index.ts";

export type LarderClient = ContractRouterClient<typeof contract>;

export interface ServerAddress {
  url: URL;
  token?: string | undefined;
  /** Said when nobody answers: where the address comes from. */
  unreachable: { message: string; hint: string };
}

/** Long enough for a registry that is asked about many packages. */
const answerWithinMs = 120_000;

/** The API as functions. Whatever goes wrong is a `LarderError`: the server's own, or one that says how the server could not be reached. */
export function createLarderClient(address: ServerAddress, signal?: AbortSignal): LarderClient {
  const base = address.url.href.replace(/\/+$/, "");
  const link = new OpenAPILink(contract, {
    url: `${base}/api`,
    headers: address.token === undefined ? {} : { authorization: `Bearer ${address.token}` },
    plugins: [new ResponseValidationPlugin(contract)],
    customErrorResponseBodyDecoder: (body, { status }) => {
      const parsed = errorBodySchema.safeParse(body);
      return parsed.success
        ? new ORPCError(parsed.data.code, { status, message: parsed.data.message, data: parsed.data })
        : undefined;
    },
    fetch: (request, init) => {
      const signals = [request.signal, AbortSignal.timeout(answerWithinMs), ...(signal ? [signal] : [])];
      // The server is asked, not whoever it points to: a token must not follow a redirect to another host.
      return fetch(request, { ...init, signal: AbortSignal.any(signals), redirect: "manual" } as RequestInit);
    },
    interceptors: [
      async ({ next }) => {
        try {
          return await next();
        } catch (error) {
          throw asLarderError(error, address);
        }
      },
    ],
  });
  return createORPCClient(link);
}

/** A raw route, by its path. Throws as the functions do. Not for what is longer than the memory. */
export async function fetchRaw(address: ServerAddress, path: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(`${address.url.href.replace(/\/+$/, "")}${path}`, {
      headers: address.token === undefined ? {} : { authorization: `Bearer ${address.token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]),
      redirect: "manual",
    });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    const { status } = response;
    const body: unknown = await response.json().catch(() => undefined);
    throw new ORPCError("REFUSED", { status, data: body });
  } catch (error) {
    throw asLarderError(error, address);
  }
}

function asLarderError(error: unknown, { url, unreachable }: ServerAddress): LarderError {
  if (error instanceof LarderError) return error;
  if (error instanceof ORPCError) {
    const body = errorBodySchema.safeParse(error.data);
    if (body.success)
      return LarderError.fromBody(body.data.code === "E_UNAUTHENTICATED" ? { ...body.data, hint: tokenHint } : body.data);
    return notLarder(`${url.href} answered with HTTP status ${error.status} in a form that is not Larder's.`, error);
  }
  const name = error instanceof Error ? error.name : "";
  if (name === "AbortError") return LarderError.from(error);
  if (name === "TimeoutError") {
    return new LarderError("E_TIMEOUT", `${url.href} did not answer within ${answerWithinMs / 1000} s.`, {
      retryable: true,
      cause: error,
    });
  }
  if (
    error instanceof SyntaxError ||
    name === "ValidationError" ||
    error instanceof Error === false ||
    isDecodingTrouble(error)
  ) {
    return notLarder(`${url.href} answered with something that this version of Larder does not understand.`, error);
  }
  return new LarderError("E_SERVER_UNREACHABLE", unreachable.message, { hint: unreachable.hint, retryable: true, cause: error });
}

/** The server's own hint speaks of HTTP headers. */
const tokenHint =
  "Give a token that is valid there by LARDER_TOKEN or --token; with --data-dir the one of the server that runs on it is found by itself.";

/** oRPC wraps what it cannot parse in a plain `Error`; what `fetch` throws has a `code`. */
const isDecodingTrouble = (error: Error): boolean => !("code" in error) && /response|body/i.test(error.message);

const notLarder = (message: string, cause: unknown): LarderError =>
  new LarderError("E_SERVER_UNREACHABLE", message, {
    hint: "Check that the address is Larder's own, with no proxy's page in between, and that both are of one version.",
    cause,
  });
