import { LarderError } from "../contract/index.ts";
import { refusal, unreachable } from "./server-answer.ts";

export interface ServerAddress {
  server: URL;
  token: string;
  /** For a whole exchange, or until the headers of one whose body is streamed. */
  timeoutMs: number;
}

export interface Call {
  path: string;
  /** What is asked for, in words, for errors. */
  subject: string;
  method?: "GET" | "PUT";
  headers?: Record<string, string>;
  body?: string;
  /** Statuses that are answers here, not refusals. */
  accept?: readonly number[];
  signal?: AbortSignal | undefined;
  /** The body is read later, under the caller's own time limits. */
  streamed?: boolean;
}

/** One request with the host's token. Throws `E_SERVER_UNREACHABLE` (retryable), what the server refused with, or the abort's reason. */
export async function callServer<T>(
  { server, token, timeoutMs }: ServerAddress,
  call: Call,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new DOMException("timed out", "TimeoutError")), timeoutMs);
  const signal = call.signal ? AbortSignal.any([call.signal, timeout.signal]) : timeout.signal;
  try {
    const response = await fetch(new URL(call.path.replace(/^\//, ""), withSlash(server)), {
      method: call.method ?? "GET",
      headers: {
        authorization: `Bearer ${token}`,
        "accept-encoding": "identity",
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: call.body }),
      redirect: "manual",
      signal,
    });
    if (!response.ok && !call.accept?.includes(response.status)) throw await refusal(response, call.subject);
    if (call.streamed) clearTimeout(timer);
    return await read(response);
  } catch (error) {
    if (error instanceof LarderError) throw error;
    if (call.signal?.aborted) throw call.signal.reason;
    throw unreachable(server, error);
  } finally {
    clearTimeout(timer);
  }
}

const withSlash = (server: URL): URL => (server.pathname.endsWith("/") ? server : new URL(`${server.href}/`));
