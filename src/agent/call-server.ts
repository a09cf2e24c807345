import { hasCode, LarderError } from "../contract/for-hosts.ts";
import type { Prover } from "./prover.ts";
import { refusal, unreachable } from "./server-answer.ts";

export interface ServerAddress {
  server: URL;
  prover: Prover;
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
  /** Shown instead of this host's own proof. */
  token?: string;
  /** Says nothing of who asks. */
  anonymous?: boolean;
  /** Follows a redirect to where the bytes are. The proof of who asks stays here. */
  follow?: boolean;
  /** Statuses that are answers here, not refusals. */
  accept?: readonly number[];
  signal?: AbortSignal | undefined;
  /** The body is read later, under the caller's own time limits. */
  streamed?: boolean;
}

/** One request as this host. Throws `E_SERVER_UNREACHABLE` (retryable), what the server refused with, or the abort's reason. */
export async function callServer<T>(address: ServerAddress, call: Call, read: (response: Response) => Promise<T>): Promise<T> {
  const authorization = await authorizationOf(address, call);
  try {
    return await callOnce(address, { ...call, authorization }, read);
  } catch (error) {
    if (!hasCode(error, "E_CLOCK_SKEW") || !(await address.prover.learnTime(error, authorization))) throw error;
    // The answer said what the time is: once more, going by that.
    return await callOnce(address, { ...call, authorization: await authorizationOf(address, call) }, read);
  }
}

async function authorizationOf({ prover }: ServerAddress, call: Call): Promise<string> {
  const { token, anonymous = false, method = "GET", path, body } = call;
  if (anonymous) return "";
  return token === undefined ? await prover.prove({ method, path, body }) : `Bearer ${token}`;
}

async function callOnce<T>(
  { server, timeoutMs }: ServerAddress,
  call: Call & { authorization: string },
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const { method = "GET", path, body, authorization } = call;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new DOMException("timed out", "TimeoutError")), timeoutMs);
  const signal = call.signal ? AbortSignal.any([call.signal, timeout.signal]) : timeout.signal;
  try {
    const answer = await fetch(new URL(path.replace(/^\//, ""), withSlash(server)), {
      method,
      headers: {
        ...(authorization === "" ? {} : { authorization }),
        "accept-encoding": "identity",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
      },
      ...(body === undefined ? {} : { body }),
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

/** One step, as a control plane gives it. Of the request's headers only the range goes along: who is asked now has nothing to do with our key. */
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
