import type { LookupAddress } from "node:dns";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { rootCertificates } from "node:tls";
import { readAnswer } from "./http-answer.ts";
import { AnswerFault, asFault, ConnectionFault } from "./http-fault.ts";
import { AddressRefused, NameNotResolved, type OutboundGuard } from "./outbound/outbound-guard.ts";

const maxRedirects = 5;
const maxSockets = 48;
const drainBytes = 64 << 10;
const redirects = new Set([301, 302, 303, 307, 308]);

export interface HttpClient {
  /** Throws `ConnectionFault`, `AnswerFault`, `AddressRefused`, or the signal's reason. */
  get(url: URL, options: HttpGetOptions): Promise<HttpAnswer>;
}

export interface HttpClientOptions {
  guard: OutboundGuard;
  /** Origins that an admin named: those alone may be at private addresses. */
  trusted: ReadonlySet<string>;
  /** The header for exactly this address, if it gets one: asked again at every redirect. */
  authorize(url: URL): string | undefined;
  /** PEM, trusted besides the usual certificates. */
  ca?: string | undefined;
}

export interface HttpGetOptions {
  headers: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Longest silence of the other side. */
  idleMs: number;
  /** From the request to the last byte of the body. */
  deadlineMs: number;
  /** Of the body once decoded, measured over each `speedWindowMs`. */
  minBytesPerSecond: number;
  speedWindowMs: number;
  /** Whether a redirect may lead to another origin. */
  mayLeaveOrigin: boolean;
}

export interface HttpAnswer {
  status: number;
  /** Where it came from in the end. */
  url: URL;
  header(name: string): string | undefined;
  /** The body's bytes; `decode` undoes a content encoding of gzip. Rejects with a `ConnectionFault` when it breaks off. */
  body(options: { decode: boolean }): AsyncIterable<Uint8Array>;
  /** For an answer whose body is not wanted. */
  discard(): void;
}

/**
 * GET over node:http(s), where the body arrives under back-pressure and undecoded: what a small compressed body unpacks to can be counted as it comes. Each
 * address is checked, and the connection goes to what was checked. Redirects are followed here, each like a request of its own, at most five, and never from
 * https to http.
 */
export function createHttpClient({ guard, trusted, authorize, ca }: HttpClientOptions): HttpClient {
  const agents = {
    "http:": new http.Agent({ keepAlive: true, maxSockets }),
    "https:": new https.Agent({ keepAlive: true, maxSockets, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) }),
  };
  const once = async (url: URL, { headers, idleMs }: HttpGetOptions, signal: AbortSignal) => {
    const addresses = await untilAborted(checkAddress(guard, url, trusted), signal);
    const authorization = authorize(url);
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const secure = url.protocol === "https:";
      const request = (secure ? https : http).get(url, {
        agent: agents[secure ? "https:" : "http:"],
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        lookup: alwaysTo(addresses),
      });
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
  };

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
        if (!redirects.has(status) || location === undefined) {
          return { ...readAnswer(message, { ...options, stop: signal }), url, discard: () => discard(message) };
        }
        discard(message);
        if (hops === maxRedirects) throw new AnswerFault(`it redirects more than ${maxRedirects} times`);
        url = redirectTarget(url, location, options.mayLeaveOrigin);
      }
    },
  };
}

async function checkAddress(guard: OutboundGuard, url: URL, trusted: ReadonlySet<string>): Promise<LookupAddress[]> {
  try {
    return await guard.check(url, trusted);
  } catch (error) {
    if (error instanceof AddressRefused) throw new AddressRefused(`${url.host} ${error.message}`);
    throw error instanceof NameNotResolved ? new ConnectionFault(error.message, { cause: error }) : error;
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new ConnectionFault("it takes too long"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** In place of a second look at DNS, which could answer something else. */
const alwaysTo =
  (addresses: LookupAddress[]): LookupFunction =>
  (_host, options, callback) => {
    const [first] = addresses as [LookupAddress];
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  };

function redirectTarget(from: URL, location: string, mayLeaveOrigin: boolean): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target === undefined) throw new AnswerFault("it redirects to an address that cannot be read");
  if (target.protocol !== "https:" && target.protocol !== "http:") throw new AnswerFault(`it redirects to ${target.protocol}`);
  if (from.protocol === "https:" && target.protocol === "http:") throw new AnswerFault("it redirects from https to http");
  if (target.username !== "" || target.password !== "") throw new AnswerFault("it redirects to an address with credentials");
  if (!mayLeaveOrigin && target.origin !== from.origin) throw new AnswerFault(`it redirects to another origin, ${target.host}`);
  return target;
}

/** Lets the connection be used again when little is left on it. */
function discard(message: IncomingMessage): void {
  message.on("error", () => {});
  if (Number(message.headers["content-length"] ?? Number.POSITIVE_INFINITY) <= drainBytes) message.resume();
  else message.destroy();
}
