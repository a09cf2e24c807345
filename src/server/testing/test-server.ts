import { createORPCClient, ORPCError } from "@orpc/client";
import type { ContractRouterClient } from "@orpc/contract";
import { OpenAPILink } from "@orpc/openapi-client/fetch";
import pino from "pino";
import { openTempDir } from "../../../test/harness/temp-dir.ts";
import {
  contract,
  createReadProof,
  createRequestProof,
  errorBodySchema,
  generateKeyPair,
  type HostCredential,
  type KeyPair,
  LarderError,
  rawRoutes,
  signJoin,
} from "../../contract/index.ts";
import { type Clock, systemClock } from "../../lib/index.ts";
import { createTokenText } from "../auth/token-text.ts";
import { openContext, type ServerContext } from "../context.ts";
import { openListener } from "../http/listener.ts";
import type { ServerConfig } from "../server-config.ts";

export type TestClient = ContractRouterClient<typeof contract>;

/** A real server in this process: PGlite in memory, blobs in memory, HTTP on loopback, a registry that nobody answers unless one is given. */
export interface TestServer extends AsyncDisposable {
  url: string;
  context: ServerContext;
  directory: string;
  /** Every line logged so far, from `debug` on and with nothing cut out. */
  logs: string[];
  adminToken: string;
  admin: TestClient;
  client(caller?: Caller): TestClient;
  /** Below the server's root, with a bearer token or as a host. */
  fetch(path: string, init?: RequestInit & { token?: Caller | undefined }): Promise<Response>;
  /** A host that joins with a token of its own. */
  join(id: string, environment?: string): Promise<TestHost>;
}

export interface TestHost extends HostCredential {
  publicKey: string;
}

/** A token's text, or a host, which proves who it is. */
export type Caller = string | HostCredential;

export async function openTestServer(overrides: Partial<ServerConfig> = {}): Promise<TestServer> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(await openTempDir("server"));
  const logs: string[] = [];
  const adminToken = overrides.adminToken ?? createTokenText("admin");
  const config: ServerConfig = {
    dataDirectory: directory,
    listen: { host: "127.0.0.1", port: 0 },
    database: "memory",
    blobStore: "memory",
    registry: new URL("http://127.0.0.1:9/"),
    platforms: [],
    logger: pino({ level: "debug" }, { write: (line: string) => void logs.push(line) }),
    clock: systemClock,
    ...overrides,
    adminToken,
  };
  const context = stack.use(await openContext(config));
  const listener = stack.use(openListener(context, config));
  const url = `http://127.0.0.1:${listener.port}`;
  context.guard.forbid({ host: "127.0.0.1", port: listener.port });
  const owned = stack.move();
  return {
    url,
    context,
    directory,
    logs,
    adminToken,
    admin: createTestClient(url, adminToken),
    client: (caller) => createTestClient(url, caller, config.clock),
    fetch: (path, { token, ...init } = {}) => fetchAs(token, new Request(`${url}${path}`, init), config.clock),
    join: (id, environment = "default") => joinAs(url, adminToken, { id, environment }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The contract's own client; what the server refuses is thrown as the `LarderError` it sent. */
function createTestClient(url: string, caller?: Caller, clock?: Clock): TestClient {
  const link = new OpenAPILink(contract, {
    url: `${url}/api`,
    fetch: (request) => fetchAs(caller, request, clock),
    customErrorResponseBodyDecoder: (body, { status }) => new ORPCError("REFUSED", { status, data: errorBodySchema.parse(body) }),
    interceptors: [
      async ({ next }) => {
        try {
          return await next();
        } catch (error) {
          throw error instanceof ORPCError ? LarderError.fromBody(errorBodySchema.parse(error.data)) : error;
        }
      },
    ],
  });
  return createORPCClient(link);
}

/** `POST` of a host that joins; `changes` make a request that no honest host would. */
export async function joinWith(
  url: string,
  token: string,
  key: KeyPair,
  changes: Record<string, unknown> = {},
): Promise<Response> {
  const body = { publicKey: key.publicKey, signature: await signJoin(token, key), ...changes };
  return await fetch(`${url}${rawRoutes.join}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** A host that joins with a token of its own. */
export async function joinAs(url: string, adminToken: string, wanted: { id: string; environment: string }): Promise<TestHost> {
  const { token } = await createTestClient(url, adminToken).hosts.enrol(wanted);
  const key = await generateKeyPair();
  const answer = await joinWith(url, token, key);
  if (!answer.ok) throw new Error(`${wanted.id} could not join: ${await answer.text()}`);
  return { hostId: wanted.id, ...key };
}

/** By the clock of the server that is asked, as a host does that knows it. */
export async function fetchAs(caller: Caller | undefined, request: Request, clock: Clock = systemClock): Promise<Response> {
  if (typeof caller === "string") request.headers.set("authorization", `Bearer ${caller}`);
  else if (caller) request.headers.set("authorization", await proofFor(caller, request, clock.now()));
  return await fetch(request);
}

async function proofFor(caller: HostCredential, request: Request, atMs: number): Promise<string> {
  const { method, url } = request;
  const { pathname, search } = new URL(url);
  if (method === "GET" || method === "HEAD") return await createReadProof(caller, atMs);
  const body = await request.clone().text();
  return await createRequestProof(caller, { method, path: pathname + search, body, atMs });
}

/** What a call was refused with. Fails when it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<LarderError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error("the call was not refused");
}
