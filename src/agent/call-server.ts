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
  method?: "GET" | "PUT" | "POST";
  headers?: Record<string, string>;
  body?: string;
  /** Follows a redirect to where the bytes are. The token stays here. */
  follow?: boolean;
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
    const answer = await fetch(new URL(call.path.replace(/^\//, ""), withSlash(server)), {
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
    const response = call.follow ? await followed(answer, call.headers ?? {}, signal) : answer;
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

/** One step, as a control plane gives it. Of the request's headers only the range goes along: who is asked now knows no tokens of ours. */
async function followed(answer: Response, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  const location = answer.headers.get("location");
  if (answer.status !== 307 || location === null) return answer;
  await answer.body?.cancel();
  const target = new URL(location, answer.url);
  if (target.protocol !== "https:" && target.protocol !== "http:") throw new Error("redirected to no http address");
  const { range } = headers;
  const response = await fetch(target, {
    headers: { "accept-encoding": "identity", ...(range === undefined ? {} : { range }) },
    redirect: "error",
    signal,
  });
  if (response.ok) return response;
  await response.body?.cancel();
  throw new Error(`redirected to where the answer is HTTP ${response.status}`);
}
