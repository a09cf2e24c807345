import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState } from "react";
import { type Event, eventSchema, type Host, type Operation, rawRoutes } from "../../contract/index.ts";
import { refreshHosts, showHosts } from "./host-queries.ts";
import { keys } from "./queries.ts";

/** connecting: not yet, or again · live: changes show by themselves · offline: this browser has no network. */
export type Liveness = "connecting" | "live" | "offline";
export const LivenessContext = createContext<Liveness>("connecting");
export const useLiveness = (): Liveness => useContext(LivenessContext);

/** A fleet reports in bursts; the screen follows at this pace. */
const paceMs = 200;
/** Numbers, and who is in which list, at most at this one. */
const hostsPaceMs = 2000;

/** Follows the control plane's events for as long as it is mounted, and puts what they say into the query cache. */
export function useLiveUpdates(): Liveness {
  const queries = useQueryClient();
  const [liveness, setLiveness] = useState<Liveness>("connecting");
  useEffect(() => {
    const batch = createBatch(queries);
    let source: EventSource | undefined;
    const connect = () => {
      source?.close();
      source = new EventSource(rawRoutes.events);
      source.onopen = () => {
        setLiveness("live");
        // Whatever happened while nobody listened.
        void queries.invalidateQueries();
      };
      source.onerror = () => {
        setLiveness(navigator.onLine ? "connecting" : "offline");
        // The session may be what ended.
        void queries.invalidateQueries({ queryKey: keys.session });
        if (source?.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
      };
      source.onmessage = ({ data }) => {
        const event = eventSchema.safeParse(JSON.parse(data));
        if (event.success) batch.add(event.data);
      };
    };
    const offline = () => setLiveness("offline");
    addEventListener("online", connect);
    addEventListener("offline", offline);
    connect();
    return () => {
      removeEventListener("online", connect);
      removeEventListener("offline", offline);
      source?.close();
      batch.stop();
    };
  }, [queries]);
  return liveness;
}

function createBatch(queries: QueryClient) {
  const hosts = new Map<string, Host>();
  const stale = new Map<string, readonly string[]>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hostsTimer: ReturnType<typeof setTimeout> | undefined;
  let hostsChanged = false;
  let hostsAt = Number.NEGATIVE_INFINITY;
  const invalidate = (key: readonly string[]) => stale.set(key.join(), key);
  const flush = () => {
    timer = undefined;
    if (hosts.size > 0) {
      const changed = new Map(hosts);
      hosts.clear();
      showHosts(queries, changed);
    }
    if (hostsChanged) {
      hostsChanged = false;
      hostsTimer ??= setTimeout(
        () => {
          hostsTimer = undefined;
          hostsAt = performance.now();
          refreshHosts(queries);
        },
        Math.max(0, hostsAt + hostsPaceMs - performance.now()),
      );
    }
    for (const queryKey of stale.values()) void queries.invalidateQueries({ queryKey });
    stale.clear();
  };
  return {
    add(event: Event) {
      if (event.type === "host") hosts.set(event.host.id, event.host);
      // A new generation makes hosts be behind.
      if (event.type === "host" || event.type === "hosts" || event.type === "desired") hostsChanged = true;
      if (event.type === "packages") {
        for (const key of [keys.packages(event.environment), keys.requests(event.environment)]) invalidate(key);
      } else if (event.type === "desired") {
        for (const key of [keys.generations(event.environment), keys.packages(event.environment), keys.environments])
          invalidate(key);
      } else if (event.type === "operation") {
        const { operation } = event;
        queries.setQueryData<Operation[]>(
          keys.operations,
          (known) => known && mergeById(known, new Map([[operation.id, operation]])),
        );
        if (operation.kind !== "install" || operation.endedAt !== undefined) invalidate(keys.storage);
        if (operation.endedAt !== undefined) invalidate(keys.operations);
      }
      timer ??= setTimeout(flush, paceMs);
    },
    stop() {
      clearTimeout(timer);
      clearTimeout(hostsTimer);
    },
  };
}

/** What is new comes first. */
function mergeById<T extends { id: string }>(known: T[], changed: Map<string, T>): T[] {
  const kept = known.map((item) => {
    const newer = changed.get(item.id);
    changed.delete(item.id);
    return newer ?? item;
  });
  return [...changed.values(), ...kept];
}
