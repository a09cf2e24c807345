import type { ServerContext } from "../context.ts";
import { metricsResponse } from "../metrics/metrics-listener.ts";
import { getBlobs } from "../raw/blob-batch-route.ts";
import { getBlob } from "../raw/blob-route.ts";
import { getDesired } from "../raw/desired-route.ts";
import { getHealth, getReadiness } from "../raw/health-routes.ts";
import { getIdentity } from "../raw/identity-route.ts";
import { joinHost } from "../raw/join-route.ts";
import { getManifest } from "../raw/manifest-route.ts";
import { getSigningChain } from "../raw/signing-chain-route.ts";
import { getTypes, getTypesBundle } from "../raw/types-route.ts";
import type { Dispatch, Exchange } from "./fetch-handler.ts";
import { createOpenApiDocument } from "./openapi.ts";
import type { RawName } from "./route-table.ts";

/** Answers the routes outside the contract. */
export function createRawDispatch(context: ServerContext, isStopping: () => boolean): Dispatch {
  let openapi: Promise<string> | undefined;
  const handlers: Record<RawName, (exchange: Exchange) => Promise<Response>> = {
    health: getHealth,
    ready: () => getReadiness({ ...context, isStopping }),
    async openapi() {
      openapi ??= createOpenApiDocument(context.version);
      return new Response(await openapi, { headers: { "content-type": "application/json" } });
    },
    async events({ request, principal, keepOpen }) {
      if (principal === undefined) throw new Error("events were reached without a token");
      // Nobody would read the stream, nor end it.
      if (request.method === "HEAD") return new Response(null, { headers: { "content-type": "text/event-stream" } });
      keepOpen();
      return context.events.connect(principal);
    },
    metrics: () => metricsResponse(context.metrics),
    join: (exchange) => joinHost(exchange, context),
    self: (exchange) => getIdentity(exchange, context),
    signingChain: () => getSigningChain(context),
    desired: (exchange) => getDesired(exchange, context),
    manifest: (exchange) => getManifest(exchange, context),
    blob: (exchange) => getBlob(exchange, context),
    blobs: (exchange) => getBlobs(exchange, context),
    types: (exchange) => getTypes(exchange, context.types),
    typesBundle: (exchange) => getTypesBundle(exchange, context.types),
  };
  return (exchange) => handlers[exchange.route.name as RawName](exchange);
}
