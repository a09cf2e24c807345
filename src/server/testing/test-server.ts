import { createORPCClient, ORPCError } from "@orpc/client";
import type { ContractRouterClient } from "@orpc/contract";
import { OpenAPILink } from "@orpc/openapi-client/fetch";
import pino from "pino";
import { openTempDir } from "../../../test/harness/temp-dir.ts";
import { contract, errorBodySchema, LarderError } from "../../contract/index.ts";
import { systemClock } from "../../lib/index.ts";
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
  client(token?: string): TestClient;
  /** Below the server's root, with a bearer token. */
  fetch(path: string, init?: RequestInit & { token?: string | undefined }): Promise<Response>;
}

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
    client: (token) => createTestClient(url, token),
    fetch(path, { token, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
      return fetch(`${url}${path}`, { ...init, headers });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The contract's own client; what the server refuses is thrown as the `LarderError` it sent. */
function createTestClient(url: string, token?: string): TestClient {
  const link = new OpenAPILink(contract, {
    url: `${url}/api`,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
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
