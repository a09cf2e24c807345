import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Db } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";
import type { EventHub } from "../events/event-hub.ts";
import type { Notice } from "../events/notice.ts";
import { createStoreGauges } from "./store-gauges.ts";

export interface ServedRequest {
  /** Of the route table; absent when nothing matched. */
  route: string | undefined;
  status: number;
  /** Until the answer's headers. */
  seconds: number;
}

/** What one replica can be asked about itself and the fleet, in Prometheus's text format. Names and units are in docs/replicas.md. */
export interface Metrics {
  contentType: string;
  observe(request: ServedRequest): void;
  notice(notice: Notice): void;
  /** All of them; asks the database, and says so when it does not answer. */
  text(): Promise<string>;
}

interface MetricsOptions {
  db: Db;
  logger: Logger;
  events: Pick<EventHub, "sessionCounts">;
  version: string;
}

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics({ db, logger, events, version }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  new Gauge({
    name: "larder_build_info",
    help: "1, with the version as label",
    labelNames: ["version"],
    registers,
  }).set({ version }, 1);
  const requests = new Counter({
    name: "larder_http_requests_total",
    help: "Answered requests by route and status",
    labelNames: ["route", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "larder_http_request_duration_seconds",
    help: "Time until the answer's headers, by route",
    labelNames: ["route"],
    buckets: secondsBuckets,
    registers,
  });
  const notices = new Counter({
    name: "larder_notices_total",
    help: "What replicas told each other, as heard here; `resumed` is each time this one heard nothing for a while",
    labelNames: ["type"],
    registers,
  });
  new Gauge({
    name: "larder_event_streams",
    help: "Open event streams by role",
    labelNames: ["role"],
    registers,
    collect() {
      this.reset();
      for (const [role, count] of events.sessionCounts()) this.set({ role }, count);
    },
  });
  const store = createStoreGauges({ db, logger, registry });
  return {
    contentType: registry.contentType,
    observe({ route = "none", status, seconds: taken }) {
      requests.inc({ route, status });
      // Its answer has no end; what is counted is how soon it begins.
      seconds.observe({ route }, taken);
    },
    notice({ type }) {
      notices.inc({ type });
    },
    async text() {
      await store.refresh();
      return await registry.metrics();
    },
  };
}
