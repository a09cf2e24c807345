import { bindPort } from "../http/bind-port.ts";
import type { Metrics } from "./metrics.ts";

export const metricsResponse = async (metrics: Metrics): Promise<Response> =>
  new Response(await metrics.text(), { headers: { "content-type": metrics.contentType, "cache-control": "no-store" } });

/** A port for monitoring alone: `/metrics` and nothing else, for everybody who reaches it. */
export function openMetricsListener(
  metrics: Metrics,
  listen: { host: string; port: number },
): AsyncDisposable & { port: number } {
  const server = bindPort(listen, () =>
    Bun.serve({
      hostname: listen.host,
      port: listen.port,
      development: false,
      reusePort: false,
      async fetch(request) {
        if (new URL(request.url).pathname !== "/metrics") return new Response("Only /metrics is here.\n", { status: 404 });
        if (request.method !== "GET" && request.method !== "HEAD") return new Response(null, { status: 405 });
        return await metricsResponse(metrics);
      },
    }),
  );
  return { port: server.port ?? listen.port, [Symbol.asyncDispose]: () => server.stop(true) };
}
