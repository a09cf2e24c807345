import { LarderError, type PackageName, parsePackageName } from "../contract/index.ts";
import { backoffMs, type Logger, silentLogger, sleep } from "../lib/index.ts";
import { AnswerFault, ConnectionFault, createHttpClient, type HttpAnswer } from "./http-request.ts";
import type { Packument } from "./packument.ts";
import { defaultPackumentLimits, type PackumentLimits, readPackument } from "./read-packument.ts";

export const defaultRegistry = "https://registry.npmjs.org/";

export type PackumentAnswer = { kind: "ok"; body: Packument; etag?: string } | { kind: "notModified" } | { kind: "absent" };

export interface RegistryClient {
  /** `host` as it appears in messages. */
  readonly host: string;
  /**
   * Throws `E_REGISTRY_UNREACHABLE` (after retries), `E_REGISTRY_ANSWER` (not a packument of `name`, or refused) or `E_TOO_LARGE`; each names the package and
   * the registry. Rejects with the signal's reason when that aborts.
   */
  packument(name: PackageName, options?: { signal?: AbortSignal; etag?: string | undefined }): Promise<PackumentAnswer>;
  /** A tarball's bytes as stored. Retries until the body begins; when it breaks off, the iteration throws `E_REGISTRY_UNREACHABLE`, which names `label`. */
  tarball(url: string, options: { label: string; signal?: AbortSignal }): Promise<AsyncIterable<Uint8Array>>;
}

export interface RegistryClientOptions {
  registry?: URL;
  logger?: Logger;
  /** In all, the first included. */
  attempts?: number;
  /** Longest wait before the second attempt; doubles with each. */
  backoffBaseMs?: number;
  idleMs?: number;
  packumentDeadlineMs?: number;
  tarballDeadlineMs?: number;
  limits?: PackumentLimits;
  /** Origins, besides the registry's own, that its tarballs may be at. */
  tarballOrigins?: readonly string[];
}

const abbreviated = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8";
const userAgent = "larder";
const maxBackoffMs = 10_000;

export function createRegistryClient(options: RegistryClientOptions = {}): RegistryClient {
  const registry = withSlash(options.registry ?? new URL(defaultRegistry));
  const { logger = silentLogger, attempts = 4, backoffBaseMs = 250, idleMs = 30_000, limits = defaultPackumentLimits } = options;
  const { packumentDeadlineMs = 120_000, tarballDeadlineMs = 600_000, tarballOrigins = [] } = options;
  const http = createHttpClient();
  const { host } = registry;

  /** `attempt` until it does not fault, or the attempts are used up. */
  const retrying = async <T>(label: string, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> => {
    for (let failures = 1; ; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof AnswerFault) throw badAnswer(label, host, error.message, error);
        if (!(error instanceof ConnectionFault)) throw error;
        if (failures >= attempts) throw unreachable(label, host, error);
        logger.warn({ registry: host, subject: label, attempt: failures, fault: error.message }, "registry request failed");
        const pauseMs = error instanceof Busy ? error.retryAfterMs : 0;
        await sleep(Math.max(pauseMs, backoffMs(failures, { baseMs: backoffBaseMs, maxMs: maxBackoffMs })), signal);
      }
    }
  };

  return {
    host,
    packument(name, { signal, etag } = {}) {
      const url = new URL(encodePackageName(name), registry);
      return retrying(name, signal, async () => {
        const answer = await http.get(url, {
          headers: {
            accept: abbreviated,
            "accept-encoding": "gzip",
            "user-agent": userAgent,
            ...(etag === undefined ? {} : { "if-none-match": etag }),
          },
          signal,
          idleMs,
          deadlineMs: packumentDeadlineMs,
        });
        if (answer.status === 200) {
          const body = await readPackument(answer.body({ decode: true }), { name, host, limits });
          const tag = answer.header("etag");
          return tag === undefined ? { kind: "ok", body } : { kind: "ok", body, etag: tag };
        }
        answer.discard();
        if (answer.status === 304 && etag !== undefined) return { kind: "notModified" };
        if (answer.status === 404 || answer.status === 410) return { kind: "absent" };
        throw refusal(answer, name, host);
      });
    },
    async tarball(address, { label, signal }) {
      const url = tarballAddress(address, registry, tarballOrigins, label);
      const answer = await retrying(label, signal, async () => {
        const got = await http.get(url, {
          headers: { accept: "application/octet-stream, */*", "accept-encoding": "identity", "user-agent": userAgent },
          signal,
          idleMs,
          deadlineMs: tarballDeadlineMs,
        });
        if (got.status === 200) return got;
        got.discard();
        if (got.status === 404 || got.status === 410) throw noTarball(label, host);
        throw refusal(got, label, host);
      });
      return namingFaults(answer.body({ decode: false }), label, host);
    },
  };
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

function refusal(answer: HttpAnswer, label: string, host: string): Error {
  const { status } = answer;
  if (status >= 500 || status === 429 || status === 408) return new Busy(status, answer.header("retry-after"));
  if (status !== 401 && status !== 403) return badAnswer(label, host, `HTTP status ${status}`);
  return new LarderError("E_REGISTRY_ANSWER", `The registry ${host} does not let Larder read ${label} (HTTP status ${status}).`, {
    hint: "The package may be private, or blocked by the registry's policy.",
    details: { subject: label, registry: host },
  });
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

/**
 * Where a tarball is fetched from. As npm does, an address at registry.npmjs.org is taken to mean the configured registry, which may be a mirror of it, and one
 * at the registry's own host is fetched the way the registry is. Any other origin must have been listed.
 */
function tarballAddress(address: string, registry: URL, origins: readonly string[], label: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw badAnswer(label, registry.host, "its tarball's address is not one that can be fetched");
  }
  if (url.origin === registry.origin || origins.includes(url.origin)) return url;
  if (url.hostname === registry.hostname && url.protocol === "http:" && url.port === "") {
    return new URL(url.pathname + url.search, registry);
  }
  if (url.host === new URL(defaultRegistry).host) return new URL(`.${url.pathname}${url.search}`, registry);
  throw new LarderError(
    "E_REGISTRY_ANSWER",
    `The registry ${registry.host} says that the tarball of ${label} is at ${url.host}.`,
    {
      hint: `Larder fetches tarballs from the registry's own address only. Allow ${url.origin} if you trust it.`,
      details: { subject: label, registry: registry.host, origin: url.origin },
    },
  );
}

const withSlash = (url: URL): URL => (url.pathname.endsWith("/") ? url : new URL(`${url.href.replace(/[?#].*$/, "")}/`));

const unreachable = (label: string, host: string, cause: Error): LarderError =>
  new LarderError("E_REGISTRY_UNREACHABLE", `Could not get ${label} from the registry ${host}: ${cause.message}.`, {
    hint: "Check the network and the registry, then try again.",
    retryable: true,
    details: { subject: label, registry: host },
    cause,
  });

const badAnswer = (label: string, host: string, why: string, cause?: unknown): LarderError =>
  new LarderError("E_REGISTRY_ANSWER", `The registry ${host} gave no usable answer for ${label}: ${why}.`, {
    hint: "Check that the registry's address is right, and that no proxy or login page answers in its place.",
    details: { subject: label, registry: host },
    cause,
  });

const noTarball = (label: string, host: string): LarderError =>
  new LarderError("E_PACKAGE_NOT_FOUND", `The registry ${host} has no tarball of ${label}.`, {
    hint: "It was unpublished, or the registry does not mirror it. Pin another version.",
    details: { subject: label, registry: host },
  });
