import { Gauge, type Registry } from "prom-client";
import { type Db, readStoreFacts, type StoreFacts } from "../../db/index.ts";
import type { Logger } from "../../lib/index.ts";

/** Hosts report at least once a minute. */
const silentMs = 150_000;
/** However many ask: the database counts at most this often. */
const keepMs = 5000;

/** What the database counts, as gauges that are read when somebody asks for them. Every replica says the same: take the maximum, not the sum. */
export function createStoreGauges({ db, logger, registry }: { db: Db; logger: Logger; registry: Registry }) {
  const gauges = defineGauges(registry);
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  const read = async () => {
    try {
      gauges.set(await readStoreFacts(db.query, { silentMs }));
      gauges.up.set(1);
      readAt = performance.now();
    } catch (error) {
      logger.warn({ err: error }, "metrics: the database could not be counted");
      gauges.clear();
      gauges.up.set(0);
    }
  };
  return {
    async refresh(): Promise<void> {
      if (performance.now() - readAt < keepMs) return;
      reading ??= read().finally(() => {
        reading = undefined;
      });
      await reading;
    },
  };
}

function defineGauges(registry: Registry) {
  const made: Gauge[] = [];
  const gauge = (name: string, help: string, labelNames: string[] = []) => {
    const created = new Gauge({ name: `larder_${name}`, help, labelNames, registers: [registry] });
    made.push(created);
    return created;
  };
  const up = new Gauge({ name: "larder_database_up", help: "1 when the database answered this scrape", registers: [registry] });
  const operations = gauge("operations", "Operations by kind and state, as the database has them", ["kind", "state"]);
  const succeededAt = gauge("operation_last_success_timestamp_seconds", "When one of this kind last succeeded", ["kind"]);
  const lasted = gauge("operation_last_success_duration_seconds", "How long that one took", ["kind"]);
  const generation = gauge("generation", "An environment's current generation", ["environment"]);
  const hosts = gauge("hosts", "Enrolled hosts by environment and phase", ["environment", "phase"]);
  const behind = gauge("hosts_behind", "Hosts that serve an older generation than their environment's", ["environment"]);
  const silent = gauge("hosts_silent", `Hosts that have said nothing for ${silentMs / 1000} s`, ["environment"]);
  const blobs = gauge("blobs", "Blobs by the store that the index names", ["store"]);
  const blobBytes = gauge("blob_bytes", "Bytes of those blobs", ["store"]);
  const unreferenced = gauge("blobs_unreferenced", "Blobs that nothing refers to, waiting for collection");
  const unreferencedBytes = gauge("blob_unreferenced_bytes", "Bytes of those blobs");
  const strayBytes = gauge("blob_stray_bytes", "Bytes in stores that the index does not name there");
  const quarantined = gauge("blobs_quarantined", "Copies of blobs that were found damaged or absent");
  const epoch = gauge("election_epoch", "How often the election was won, by anyone");

  const clear = () => {
    for (const each of made) each.reset();
  };
  return {
    up,
    clear,
    set(facts: StoreFacts) {
      clear();
      for (const { kind, state, count } of facts.operations) operations.set({ kind, state }, count);
      for (const { kind, endedAtSeconds, lastedSeconds } of facts.successes) {
        succeededAt.set({ kind }, endedAtSeconds);
        lasted.set({ kind }, lastedSeconds);
      }
      for (const { environment, generation: number } of facts.environments) generation.set({ environment }, number);
      for (const { environment, phase, count } of facts.hosts) hosts.set({ environment, phase }, count);
      for (const { environment, ...counts } of facts.lagging) {
        behind.set({ environment }, counts.behind);
        silent.set({ environment }, counts.silent);
      }
      for (const { store, count, bytes } of facts.blobs) {
        blobs.set({ store }, count);
        blobBytes.set({ store }, bytes);
      }
      unreferenced.set(facts.unreferenced.count);
      unreferencedBytes.set(facts.unreferenced.bytes);
      strayBytes.set(facts.strayBytes);
      quarantined.set(facts.quarantined);
      epoch.set(facts.epoch);
    },
  };
}
