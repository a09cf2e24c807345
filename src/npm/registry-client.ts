import { type PackageName, parsePackageName } from "../contract/index.ts";
import { backoffMs, type Logger, silentLogger, sleep } from "../lib/index.ts";
import { AnswerFault, CertificateFault, ConnectionFault } from "./http-fault.ts";
import { createHttpClient, type HttpAnswer, type HttpGetOptions } from "./http-request.ts";
import { AddressRefused, createOutboundGuard, type OutboundGuard } from "./outbound/outbound-guard.ts";
import type { Packument } from "./packument.ts";
import type { PackumentLimits } from "./packument-draft.ts";
import { defaultPackumentLimits, readPackument } from "./read-packument.ts";
import { isBelow, type RegistryConfig, registryAddress } from "./registry-config.ts";
import { badAnswer, noTarball, notLetIn, refusedAddress, unreachable, untrusted } from "./registry-error.ts";
import { type FoundPackage, readSearch, searchAddress } from "./search.ts";
import { tarballAddress } from "./tarball-address.ts";
import { readUserName } from "./who-am-i.ts";

export const defaultRegistry = "https://registry.npmjs.org/";

export type PackumentAnswer = { kind: "ok"; body: Packument; etag?: string } | { kind: "notModified" } | { kind: "absent" };

export interface PackumentRequest {
  signal?: AbortSignal | undefined;
  etag?: string | undefined;
  /** With publication times, licences and descriptions, where the registry has them: a larger document. */
  full?: boolean;
}

/** Where packages come from: one registry, or several of which each name has one. */
export interface RegistryClient {
  /** Of the registry that serves what no other claims, as it appears in messages. */
  readonly host: string;
  /** Of the registry that serves this name. */
  hostOf(name: PackageName): string;
  /**
   * Throws `E_REGISTRY_UNREACHABLE` (after retries), `E_REGISTRY_ANSWER` (not a packument of `name`), `E_REGISTRY_AUTH`, `E_REGISTRY_ADDRESS`, `E_SECRET_KEY` or
   * `E_TOO_LARGE`; each names the package and the registry. Rejects with the signal's reason when that aborts.
   */
  packument(name: PackageName, options?: PackumentRequest): Promise<PackumentAnswer>;
  /**
   * A tarball's bytes as stored, from the registry that serves `name`. Retries until the body begins; when it breaks off, the iteration throws
   * `E_REGISTRY_UNREACHABLE`, which names `label`.
   */
  tarball(url: string, options: TarballRequest): Promise<AsyncIterable<Uint8Array>>;
}

export interface TarballRequest {
  name: PackageName;
  label: string;
  signal?: AbortSignal | undefined;
}

/** A client of one registry. */
export interface SingleRegistryClient extends RegistryClient {
  readonly config: RegistryConfig;
  /** `undefined`: this registry has no search. Throws as `packument` does; tried once. */
  search(text: string, options: { limit: number; signal?: AbortSignal }): Promise<FoundPackage[] | undefined>;
  /** Whose credentials these are, for registries that say so. Throws as `packument` does; tried once. */
  whoAmI(signal: AbortSignal): Promise<WhoAmI>;
}

export type WhoAmI = { kind: "user"; name: string } | { kind: "refused"; status: number } | { kind: "unknown" };

export interface RegistryClientOptions {
  registry?: URL;
  /** More than an address. */
  config?: RegistryConfig;
  guard?: OutboundGuard;
  logger?: Logger;
  /** In all, the first included. */
  attempts?: number;
  /** Longest wait before the second attempt; doubles with each. */
  backoffBaseMs?: number;
  idleMs?: number;
  packumentDeadlineMs?: number;
  tarballDeadlineMs?: number;
  /** Of what is read, decompressed. */
  minBytesPerSecond?: number;
  speedWindowMs?: number;
  limits?: PackumentLimits;
  /** Origins, besides the registry's own, that its tarballs may be at. */
  tarballOrigins?: readonly string[];
}

const abbreviated = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8";
const userAgent = "larder";
const maxBackoffMs = 10_000;

export function createRegistryClient(options: RegistryClientOptions = {}): SingleRegistryClient {
  const config = options.config ?? plainConfig(options);
  const { logger = silentLogger, attempts = 4, backoffBaseMs = 250, idleMs = 30_000, limits = defaultPackumentLimits } = options;
  const {
    packumentDeadlineMs = 120_000,
    tarballDeadlineMs = 600_000,
    minBytesPerSecond = 1024,
    speedWindowMs = 30_000,
  } = options;
  const registry = registryAddress(config.url);
  const { host } = registry;
  const { credentials } = config;
  const isPrivate = config.scopes.length > 0 || config.names.length > 0;
  const http = createHttpClient({
    guard: options.guard ?? createOutboundGuard(),
    trusted: new Set([registry.origin, ...config.tarballOrigins]),
    ca: config.ca,
    authorize: (url) =>
      credentials !== undefined && "header" in credentials && isBelow(url, credentials.prefix) ? credentials.header() : undefined,
  });
  const hasCredentials = credentials !== undefined;

  /** `attempt` until it does not fault, or the attempts are used up. */
  const retrying = async <T>(
    label: string,
    { signal, attempts: limit = attempts }: { signal?: AbortSignal | undefined; attempts?: number },
    attempt: () => Promise<T>,
  ): Promise<T> => {
    if (credentials !== undefined && "refused" in credentials) throw credentials.refused;
    for (let failures = 1; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof AddressRefused) throw refusedAddress(label, host, error);
        if (error instanceof CertificateFault) throw untrusted(label, host, error);
        if (error instanceof AnswerFault) throw badAnswer(label, host, error.message, error);
        if (!(error instanceof ConnectionFault)) throw error;
        if (failures >= limit) throw unreachable(label, host, error);
        logger.warn({ registry: host, subject: label, attempt: failures, fault: error.message }, "registry request failed");
        const pauseMs = error instanceof Busy ? error.retryAfterMs : 0;
        await sleep(Math.max(pauseMs, backoffMs(failures, { baseMs: backoffBaseMs, maxMs: maxBackoffMs })), signal);
      }
    }
  };

  const get = (
    url: URL,
    { accept, etag, signal, encoding = "gzip", ...options }: GetOptions & Pick<HttpGetOptions, "deadlineMs" | "mayLeaveOrigin">,
  ): Promise<HttpAnswer> =>
    http.get(url, {
      headers: {
        accept,
        "accept-encoding": encoding,
        "user-agent": userAgent,
        ...(etag === undefined ? {} : { "if-none-match": etag }),
      },
      signal,
      idleMs,
      minBytesPerSecond,
      speedWindowMs,
      ...options,
    });

  return {
    host,
    hostOf: () => host,
    config,
    packument(name, { signal, etag, full = false } = {}) {
      const url = new URL(encodePackageName(name), registry);
      const accept = full ? "application/json" : abbreviated;
      return retrying(name, { signal }, async () => {
        // Whoever answers for a private name elsewhere would be asked for it.
        const answer = await get(url, { accept, etag, signal, deadlineMs: packumentDeadlineMs, mayLeaveOrigin: !isPrivate });
        if (answer.status === 200) {
          const body = await readPackument(answer.body({ decode: true }), { name, host, limits });
          const tag = answer.header("etag");
          return tag === undefined ? { kind: "ok", body } : { kind: "ok", body, etag: tag };
        }
        answer.discard();
        if (answer.status === 304 && etag !== undefined) return { kind: "notModified" };
        if (answer.status === 404 || answer.status === 410) return { kind: "absent" };
        throw refusal(answer, name, { host, hasCredentials });
      });
    },
    async tarball(address, { label, signal }) {
      const url = tarballAddress(address, registry, { origins: config.tarballOrigins, label });
      const answer = await retrying(label, { signal }, async () => {
        const got = await get(url, {
          accept: "application/octet-stream, */*",
          encoding: "identity",
          signal,
          deadlineMs: tarballDeadlineMs,
          mayLeaveOrigin: true,
        });
        if (got.status === 200) return got;
        got.discard();
        if (got.status === 404 || got.status === 410) throw noTarball(label, host);
        throw refusal(got, label, { host, hasCredentials });
      });
      return namingFaults(answer.body({ decode: false }), label, host);
    },
    search(text, { limit, signal }) {
      return retrying(`the search for ${JSON.stringify(text.slice(0, 60))}`, { signal, attempts: 1 }, async () => {
        const url = searchAddress(registry, text, limit);
        const answer = await get(url, { accept: "application/json", signal, deadlineMs: idleMs, mayLeaveOrigin: false });
        if (answer.status === 200) return await readSearch(answer.body({ decode: true }), limit);
        answer.discard();
        if (answer.status === 401 || answer.status === 403 || answer.status === 429 || answer.status >= 500)
          throw refusal(answer, "a search", { host, hasCredentials });
        return undefined;
      });
    },
    whoAmI(signal) {
      return retrying("-/whoami", { signal, attempts: 1 }, async (): Promise<WhoAmI> => {
        const url = new URL("-/whoami", registry);
        const answer = await get(url, { accept: "application/json", signal, deadlineMs: idleMs, mayLeaveOrigin: false });
        const { status } = answer;
        const name = status === 200 ? await readUserName(answer.body({ decode: true })) : undefined;
        if (status !== 200) answer.discard();
        if (status === 401 || status === 403) return { kind: "refused", status };
        return name === undefined ? { kind: "unknown" } : { kind: "user", name };
      });
    },
  };
}

interface GetOptions {
  accept: string;
  encoding?: string;
  etag?: string | undefined;
  signal?: AbortSignal | undefined;
}

function plainConfig({ registry = new URL(defaultRegistry), tarballOrigins = [] }: RegistryClientOptions): RegistryConfig {
  return { name: "default", url: registry, scopes: [], names: [], tarballOrigins };
}

/** `name`, or `@scope%2fname`: one path segment of a registry's address. */
export function encodePackageName(name: PackageName): string {
  return parsePackageName(name).replace("/", "%2f");
}

/** The registry asks to be left alone for a while, or is in trouble: worth another try. */
class Busy extends ConnectionFault {
  readonly retryAfterMs: number;
  constructor(status: number, retryAfter: string | undefined) {
    super(`HTTP status ${status}`);
    const seconds = Number(retryAfter ?? Number.NaN);
    this.retryAfterMs = seconds >= 0 ? Math.min(seconds * 1000, maxBackoffMs) : 0;
  }
}

function refusal(answer: HttpAnswer, label: string, { host, hasCredentials }: { host: string; hasCredentials: boolean }): Error {
  const { status } = answer;
  if (status >= 500 || status === 429 || status === 408) return new Busy(status, answer.header("retry-after"));
  if (status !== 401 && status !== 403) return badAnswer(label, host, `HTTP status ${status}`);
  return notLetIn(label, host, { status, hasCredentials, elsewhere: answer.url.host === host ? undefined : answer.url.host });
}

async function* namingFaults(body: AsyncIterable<Uint8Array>, label: string, host: string): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    if (error instanceof ConnectionFault) throw unreachable(label, host, error);
    if (error instanceof AnswerFault) throw badAnswer(label, host, error.message, error);
    throw error;
  }
}
