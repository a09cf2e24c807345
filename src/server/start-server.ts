import { adminTokenPath } from "./auth/ensure-admin-token.ts";
import { openContext } from "./context.ts";
import { openListener } from "./http/listener.ts";
import { openMetricsListener } from "./metrics/metrics-listener.ts";
import type { ServerConfig } from "./server-config.ts";
import { writeServerFile } from "./server-file.ts";

/** A running replica. Disposal stops it: no new requests, those under way finish, then everything is closed in order. */
export interface Server extends AsyncDisposable {
  url: string;
  port: number;
  /** Where this data directory's admin token is, unless it was given by a setting. */
  adminTokenPath: string;
}

/** Ready when it resolves. Throws `LarderError`: `E_LOCKED`, `E_CONFIG`, `E_STORE_UNAVAILABLE`, `E_SCHEMA_NEWER`, … */
export async function startServer(config: ServerConfig): Promise<Server> {
  const { logger, listen } = config;
  await using stack = new AsyncDisposableStack();
  const context = stack.use(await openContext(config));
  if (config.metricsListen) {
    const { port } = stack.use(openMetricsListener(context.metrics, config.metricsListen));
    logger.info({ url: `${urlOf(config.metricsListen.host, port)}/metrics` }, "metrics served without a token");
  }
  const listener = stack.use(openListener(context, config));
  const url = urlOf(listen.host, listener.port);
  context.guard.forbid({ host: listen.host, port: listener.port });
  stack.use(await writeServerFile(context.controlDirectory, { url, clock: config.clock }));
  logger.info(
    { url, blobStores: context.stores.names, database: context.db.kind, storeId: context.signer.storeId },
    "server ready",
  );
  context.stocker.begin();
  const owned = stack.move();
  let stopped: Promise<void> | undefined;
  return {
    url,
    port: listener.port,
    adminTokenPath: adminTokenPath(context.controlDirectory),
    [Symbol.asyncDispose]() {
      stopped ??= owned.disposeAsync().then(() => logger.info("server stopped"));
      return stopped;
    },
  };
}

/** As reached from this machine. */
function urlOf(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
