import { LarderError } from "../../contract/index.ts";
import { errnoOf, sleep } from "../../lib/index.ts";
import type { ServerContext } from "../context.ts";
import { createRouter } from "../routes/router.ts";
import type { ServerConfig } from "../server-config.ts";
import { createContractDispatch } from "./contract-dispatch.ts";
import { createFetchHandler } from "./fetch-handler.ts";
import { createRawDispatch } from "./raw-dispatch.ts";
import { largestBodyBytes } from "./request-body.ts";

/** The open port. Disposal refuses new connections, ends event streams, and gives requests under way some time to finish. */
export interface Listener extends AsyncDisposable {
  port: number;
}

const drainMs = 5000;
const idleSeconds = 60;

/** Throws `E_BUSY` when the port is taken, `E_CONFIG` when it cannot be had at all. */
export function openListener(context: ServerContext, { listen, logger }: Pick<ServerConfig, "listen" | "logger">): Listener {
  let stopping = false;
  const contract = createContractDispatch(createRouter(context));
  const raw = createRawDispatch(context, () => stopping);
  const handle = createFetchHandler({
    authenticator: context.authenticator,
    logger,
    dispatch: (exchange) => (exchange.route.kind === "contract" ? contract(exchange) : raw(exchange)),
  });
  const server = bind(listen, () =>
    Bun.serve({
      hostname: listen.host,
      port: listen.port,
      development: false,
      // Without development it is true, and a second server would silently share the port.
      reusePort: false,
      idleTimeout: idleSeconds,
      // Ours answers in our form; this one is for bodies that lie about their length.
      maxRequestBodySize: largestBodyBytes * 2,
      fetch: (request, own) => handle(request, { keepOpen: () => own.timeout(request, 0) }),
    }),
  );
  return {
    port: server.port ?? listen.port,
    async [Symbol.asyncDispose]() {
      stopping = true;
      const closed = server.stop();
      await context.events[Symbol.asyncDispose]();
      const deadline = performance.now() + drainMs;
      while (server.pendingRequests > 0 && performance.now() < deadline) await sleep(10);
      await server.stop(true);
      await closed;
    },
  };
}

function bind<T>({ host, port }: ServerConfig["listen"], open: () => T): T {
  try {
    return open();
  } catch (error) {
    const taken = errnoOf(error) === "EADDRINUSE";
    throw new LarderError(
      taken ? "E_BUSY" : "E_CONFIG",
      `Cannot listen on ${host}:${port}${taken ? ": another process does" : ""}.`,
      {
        hint: taken
          ? "Stop that process, or give another --listen; port 0 picks a free one."
          : "Give an address of this machine and a port that this user may use.",
        cause: error,
      },
    );
  }
}
