import { sleep } from "../../lib/index.ts";
import type { ServerContext } from "../context.ts";
import { createRouter } from "../routes/router.ts";
import type { ServerConfig } from "../server-config.ts";
import { createConsolePages } from "../web/console-pages.ts";
import { createAdmission } from "./admission.ts";
import { bindPort } from "./bind-port.ts";
import { createContractDispatch } from "./contract-dispatch.ts";
import { createFetchHandler } from "./fetch-handler.ts";
import { createRawDispatch } from "./raw-dispatch.ts";
import { largestBodyBytes } from "./request-body.ts";

/**
 * The open port. Disposal says first that this replica is not ready, and serves on for as long as a load balancer needs to see that; then it
 * refuses connections, ends event streams, and lets requests under way finish.
 */
export interface Listener extends AsyncDisposable {
  port: number;
}

/** More than lies between two polls of a host, which then need no new connection. */
const idleSeconds = 120;
const defaultDrain = { delayMs: 0, timeoutMs: 10_000 };

/** Throws `E_BUSY` when the port is taken, `E_CONFIG` when it cannot be had at all. */
export function openListener(
  context: ServerContext,
  config: Pick<ServerConfig, "listen" | "logger" | "console" | "drain" | "limits">,
): Listener {
  const { listen, logger, drain = defaultDrain } = config;
  let stopping = false;
  const isStopping = () => stopping;
  const contract = createContractDispatch(createRouter(context));
  const raw = createRawDispatch(context, isStopping);
  const handle = createFetchHandler({
    authenticator: context.authenticator,
    hostAuthenticator: context.hostAuthenticator,
    admission: createAdmission(config.limits),
    logger,
    pages: config.console && createConsolePages(config.console, logger.child({ part: "console" })),
    dispatch: (exchange) => (exchange.route.kind === "contract" ? contract(exchange) : raw(exchange)),
    observe: context.metrics.observe,
    isStopping,
  });
  const server = bindPort(listen, () =>
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
      if (drain.delayMs > 0) {
        logger.info({ delayMs: drain.delayMs }, "draining: not ready, still serving");
        await sleep(drain.delayMs);
      }
      const closed = server.stop();
      await context.events[Symbol.asyncDispose]();
      const deadline = performance.now() + drain.timeoutMs;
      while (server.pendingRequests > 0 && performance.now() < deadline) await sleep(10);
      if (server.pendingRequests > 0) logger.warn({ requests: server.pendingRequests }, "requests under way were cut");
      await server.stop(true);
      await closed;
    },
  };
}
