import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import tls from "node:tls";
import { createSlots } from "../lib/index.ts";
import { discard, type Exchange, readAnswer } from "./http-answer.ts";
import { AnswerFault, asFault, ConnectionFault } from "./http-fault.ts";
import { AddressRefused, NameNotResolved, type OutboundGuard } from "./outbound/outbound-guard.ts";
import { createAddressPicker } from "./outbound/pick-address.ts";

const maxRedirects = 5;
const maxRequests = 48;
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
 * GET with Bun's own client, where the body arrives under back-pressure and undecoded: what a small compressed body unpacks to can be counted as it comes. Each
 * address is checked, and asked for as such, so that no second look at DNS can lead elsewhere; the name stays in the Host header and is what the certificate is
 * checked against. No proxy of the environment comes between. Redirects are followed here, each like a request of its own, at most five, and never from https to
 * http.
 */
export function createHttpClient({ guard, trusted, authorize, ca }: HttpClientOptions): HttpClient {
  const picker = createAddressPicker();
  const slots = createSlots(maxRequests);
  const certificates = ca === undefined ? {} : { ca: [...tls.rootCertificates, ca] };

  const once = async (url: URL, { headers, idleMs }: HttpGetOptions, stopped: AbortSignal): Promise<Exchange> => {
    const addresses = await untilAborted(checkAddress(guard, url, trusted), stopped);
    const release = await slots.take(stopped).catch(() => {
      throw new ConnectionFault("it takes too long");
    });
    const stop = new AbortController();
    const abort = () => stop.abort(new ConnectionFault("it takes too long"));
    if (stopped.aborted) abort();
    stopped.addEventListener("abort", abort, { once: true });
    const end = () => {
      stopped.removeEventListener("abort", abort);
      release();
    };
    const timer = setTimeout(() => stop.abort(new ConnectionFault(`no answer within ${idleMs} ms`)), idleMs);
    try {
      const authorization = authorize(url);
      const response = await ask(url, addresses, stop.signal, {
        ...headers,
        ...(authorization === undefined ? {} : { authorization }),
      });
      return { response, stop, end };
    } catch (error) {
      end();
      throw asFault(error);
    } finally {
      clearTimeout(timer);
    }
  };

  const ask = async (url: URL, addresses: LookupAddress[], signal: AbortSignal, headers: Record<string, string>) => {
    const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
    const address = await picker.pick(addresses, port, signal);
    const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const request: BunRequest = {
      headers: { ...headers, host: url.host },
      signal,
      redirect: "manual",
      decompress: false,
      proxy: false,
      timeout: false,
      tls: { ...certificates, ...(isIP(name) === 0 ? { serverName: name } : {}) },
    };
    try {
      return await fetch(atAddress(url, address), request as RequestInit);
    } catch (error) {
      picker.forget(address, port);
      throw error;
    }
  };

  return {
    async get(start, options) {
      options.signal?.throwIfAborted();
      const deadline = AbortSignal.timeout(options.deadlineMs);
      const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
      let url = start;
      for (let hops = 0; ; hops++) {
        const exchange = await once(url, options, signal).catch((error) => {
          options.signal?.throwIfAborted();
          throw error;
        });
        const { status, headers } = exchange.response;
        const location = headers.get("location");
        if (!redirects.has(status) || location === null) return { ...readAnswer(exchange, options), url };
        discard(exchange);
        if (hops === maxRedirects) throw new AnswerFault(`it redirects more than ${maxRedirects} times`);
        url = redirectTarget(url, location, options.mayLeaveOrigin);
      }
    },
  };
}

/** What Bun's `fetch` takes besides. */
interface BunRequest extends RequestInit {
  decompress: false;
  proxy: false;
  timeout: false;
  tls: { ca?: string[]; serverName?: string };
}

function atAddress(url: URL, { address, family }: LookupAddress): URL {
  const target = new URL(url);
  target.hostname = family === 6 ? `[${address}]` : address;
  return target;
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

function redirectTarget(from: URL, location: string, mayLeaveOrigin: boolean): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target === undefined) throw new AnswerFault("it redirects to an address that cannot be read");
  if (target.protocol !== "https:" && target.protocol !== "http:") throw new AnswerFault(`it redirects to ${target.protocol}`);
  if (from.protocol === "https:" && target.protocol === "http:") throw new AnswerFault("it redirects from https to http");
  if (target.username !== "" || target.password !== "") throw new AnswerFault("it redirects to an address with credentials");
  if (!mayLeaveOrigin && target.origin !== from.origin) throw new AnswerFault(`it redirects to another origin, ${target.host}`);
  return target;
}
