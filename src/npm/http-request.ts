import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";

const maxRedirects = 5;
const maxSockets = 48;
const drainBytes = 64 << 10;
const redirects = new Set([301, 302, 303, 307, 308]);

export interface HttpClient {
  get(url: URL, options: HttpGetOptions): Promise<HttpAnswer>;
}

export interface HttpGetOptions {
  headers: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Longest silence of the other side. */
  idleMs: number;
  /** From the request to the last byte of the body. */
  deadlineMs: number;
}

export interface HttpAnswer {
  status: number;
  header(name: string): string | undefined;
  /** The body's bytes; `decode` undoes a content encoding of gzip. Rejects with a `ConnectionFault` when it breaks off. */
  body(options: { decode: boolean }): AsyncIterable<Uint8Array>;
  /** For an answer whose body is not wanted. */
  discard(): void;
}

/** The other side could not be reached, or fell silent or broke off before its answer was complete. Trying again may help. */
export class ConnectionFault extends Error {}
/** The answer is one that no retry will mend: a redirect that must not be followed, a body that is not what its headers say. */
export class AnswerFault extends Error {}

/**
 * GET over node:http(s), where the body arrives under back-pressure and undecoded: what a small compressed body unpacks to can be counted as it comes.
 * Redirects are followed here, at most five, over http and https only, and never from https to http. Sends no credentials.
 */
export function createHttpClient(): HttpClient {
  const agents = {
    "http:": new http.Agent({ keepAlive: true, maxSockets }),
    "https:": new https.Agent({ keepAlive: true, maxSockets }),
  };
  const once = (url: URL, { headers, idleMs }: HttpGetOptions, signal: AbortSignal) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const secure = url.protocol === "https:";
      const request = (secure ? https : http).get(url, { agent: agents[secure ? "https:" : "http:"], headers });
      const timer = setTimeout(() => request.destroy(new ConnectionFault(`no answer within ${idleMs} ms`)), idleMs);
      const abort = () => request.destroy(new ConnectionFault("stopped"));
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      };
      request.once("response", (message) => {
        settle();
        resolve(message);
      });
      request.on("error", (error) => {
        settle();
        reject(asFault(error));
      });
    });

  return {
    async get(start, options) {
      options.signal?.throwIfAborted();
      const deadline = AbortSignal.timeout(options.deadlineMs);
      const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
      let url = start;
      for (let hops = 0; ; hops++) {
        const message = await once(url, options, signal).catch((error) => {
          options.signal?.throwIfAborted();
          throw error;
        });
        const status = message.statusCode ?? 0;
        const { location } = message.headers;
        if (!redirects.has(status) || location === undefined) return answer(message, { ...options, stop: signal });
        discard(message);
        if (hops === maxRedirects) throw new AnswerFault(`it redirects more than ${maxRedirects} times`);
        url = redirectTarget(url, location);
      }
    },
  };
}

function redirectTarget(from: URL, location: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target === undefined) throw new AnswerFault("it redirects to an address that cannot be read");
  if (target.protocol !== "https:" && target.protocol !== "http:") throw new AnswerFault(`it redirects to ${target.protocol}`);
  if (from.protocol === "https:" && target.protocol === "http:") throw new AnswerFault("it redirects from https to http");
  if (target.username !== "" || target.password !== "") throw new AnswerFault("it redirects to an address with credentials");
  return target;
}

function answer(message: IncomingMessage, options: HttpGetOptions & { stop: AbortSignal }): HttpAnswer {
  return {
    status: message.statusCode ?? 0,
    header(name) {
      const value = message.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    body: ({ decode }) => readBody(message, options, decode),
    discard: () => discard(message),
  };
}

async function* readBody(
  message: IncomingMessage,
  { idleMs, signal, stop }: HttpGetOptions & { stop: AbortSignal },
  decode: boolean,
): AsyncGenerator<Uint8Array> {
  const encoding = decode ? message.headers["content-encoding"] : undefined;
  if (encoding !== undefined && encoding !== "gzip" && encoding !== "identity") {
    message.destroy();
    throw new AnswerFault(`it is encoded as ${encoding}, which was not asked for`);
  }
  const expected = Number(message.headers["content-length"] ?? Number.NaN);
  let received = 0;
  const bytes = encoding === "gzip" ? createGunzip() : message;
  if (encoding === "gzip") {
    message.on("data", (chunk: Uint8Array) => {
      received += chunk.length;
    });
    pipeline(message, bytes as ReturnType<typeof createGunzip>, () => {});
  }
  const abort = () => message.destroy(new ConnectionFault("it takes too long"));
  if (stop.aborted) abort();
  stop.addEventListener("abort", abort, { once: true });
  const iterator = (bytes as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = setTimeout(() => message.destroy(new ConnectionFault(`it fell silent for ${idleMs} ms`)), idleMs);
      const step = await iterator.next().finally(() => clearTimeout(timer));
      if (step.done) break;
      if (encoding !== "gzip") received += step.value.length;
      yield step.value;
    }
    if (received < expected) throw new ConnectionFault(`it broke off after ${received} of ${expected} bytes`);
  } catch (error) {
    signal?.throwIfAborted();
    throw asFault(error);
  } finally {
    stop.removeEventListener("abort", abort);
    if (!message.readableEnded) message.destroy();
  }
}

function asFault(error: unknown): Error {
  if (error instanceof ConnectionFault || error instanceof AnswerFault) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith("Z_") && code !== "Z_BUF_ERROR") return new AnswerFault("its gzip encoding is broken", { cause: error });
  return new ConnectionFault(code ?? message, { cause: error });
}

/** Lets the connection be used again when little is left on it. */
function discard(message: IncomingMessage): void {
  message.on("error", () => {});
  if (Number(message.headers["content-length"] ?? Number.POSITIVE_INFINITY) <= drainBytes) message.resume();
  else message.destroy();
}
