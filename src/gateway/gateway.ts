import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type ExactVersion, isPackageName, LarderError, type PackageName } from "../contract/index.ts";
import { type Logger, silentLogger } from "../lib/index.ts";
import { type DeclaredVersion, declaredVersion, encodePackageName, type RegistryClient } from "../npm/index.ts";
import { fetchPackument } from "./fetch-packument.ts";
import type { PackumentCache } from "./packument-cache.ts";
import type { Ruleset } from "./ruleset.ts";
import { type ServedPackument, servePackument } from "./served-packument.ts";

export interface GatewayOptions {
  client: RegistryClient;
  logger?: Logger;
  cache?: PackumentCache;
  /** See `PackumentSource`. */
  freshForMs?: number | undefined;
  /** What it hides and adds; only what leads out of the registry is hidden without. */
  ruleset?: Ruleset | undefined;
}

export type Lookup = { kind: "ok"; served: ServedPackument } | { kind: "absent" } | { kind: "failed"; error: LarderError };

/** A registry on loopback, for one install: all that a resolver gets to see of the world. No I/O until it is asked for something. */
export interface Gateway extends AsyncDisposable {
  /** Listens, if it does not yet. Its address for the resolver; ends in "/" and holds a secret. */
  listen(): Promise<string>;
  /** Host of the registry that serves a name. */
  registryOf(name: PackageName): string;
  /** What the registry declared of a version that was offered to the resolver. */
  describe(name: PackageName, version: ExactVersion): DeclaredVersion | undefined;
  /** The first trouble with the registry: unreachable, or an answer that is none. A package that it does not have is no trouble: it may be optional. */
  firstFailure(): LarderError | undefined;
  /** What the gateway has for a name; asks the registry once. Never rejects. */
  lookup(name: PackageName): Promise<Lookup>;
  /** What was offered of a name that was asked for. */
  served(name: PackageName): ServedPackument | undefined;
  readonly ruleset: Ruleset | undefined;
  /** Everything offered so far. */
  offered(): Iterable<ServedPackument>;
  /** Everything that was looked up so far. */
  lookups(): Iterable<[PackageName, Promise<Lookup>]>;
}

export function createGateway({ client, logger = silentLogger, cache, freshForMs, ruleset }: GatewayOptions): Gateway {
  const lifetime = new AbortController();
  const lookups = new Map<PackageName, Promise<Lookup>>();
  const offered = new Map<PackageName, ServedPackument>();
  let firstFailure: LarderError | undefined;

  const lookup = (name: PackageName): Promise<Lookup> => {
    let answer = lookups.get(name);
    if (answer === undefined) {
      answer = ask(name);
      lookups.set(name, answer);
    }
    return answer;
  };
  const ask = async (name: PackageName): Promise<Lookup> => {
    try {
      const packument = await fetchPackument({ client, cache, freshForMs }, name, {
        signal: lifetime.signal,
        ...(ruleset && { suffices: ruleset.suffices }),
      });
      if (packument === undefined) return { kind: "absent" };
      const served = servePackument(packument, client.hostOf(name), ruleset);
      offered.set(name, served);
      return { kind: "ok", served };
    } catch (thrown) {
      const error = LarderError.from(thrown);
      if (!lifetime.signal.aborted) firstFailure ??= error;
      return { kind: "failed", error };
    }
  };

  let listening: Promise<{ server: Server; url: string }> | undefined;

  return {
    async listen() {
      listening ??= listenOnLoopback(lookup, logger);
      return (await listening).url;
    },
    registryOf: (name) => client.hostOf(name),
    ruleset,
    lookup,
    served: (name) => offered.get(name),
    describe(name, version) {
      const served = offered.get(name);
      return served?.versions.has(version) ? declaredVersion(served.packument, version) : undefined;
    },
    firstFailure: () => firstFailure,
    offered: () => offered.values(),
    lookups: () => lookups.entries(),
    async [Symbol.asyncDispose]() {
      lifetime.abort();
      const server = await listening?.then(
        (opened) => opened.server,
        () => undefined,
      );
      const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
      server?.closeAllConnections();
      await Promise.all([closed, ...lookups.values()]);
    },
  };
}

async function listenOnLoopback(lookup: Gateway["lookup"], logger: Logger): Promise<{ server: Server; url: string }> {
  const root = `/${randomBytes(24).toString("hex")}/`;
  const server = createServer((request, response) => {
    void handle(request, response, root, lookup).catch((error: unknown) => {
      logger.error({ err: error }, "gateway request failed");
      response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}${root}` };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  lookup: (name: PackageName) => Promise<Lookup>,
): Promise<void> {
  const name = request.method === "GET" ? requestedName(request.url ?? "", root) : undefined;
  const answer = name === undefined ? undefined : await lookup(name);
  if (answer?.kind === "ok") {
    const body = answer.served.document().bytes;
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
  } else {
    response.writeHead(answer?.kind === "failed" ? 502 : 404, { "content-type": "application/json" }).end("{}");
  }
}

/** Packuments only: the resolver has no use for tarballs. */
function requestedName(url: string, root: string): PackageName | undefined {
  if (!url.startsWith(root)) return undefined;
  const segment = url.slice(root.length);
  const name = segment.replace(/%2f/i, "/");
  return isPackageName(name) && encodePackageName(name) === segment.replace(/%2F/, "%2f").replace(/^(@[^/]+)\//, "$1%2f")
    ? name
    : undefined;
}
