import { type InfiniteData, type QueryClient, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { Host, HostFilter, HostPage } from "../../contract/index.ts";
import { api } from "./client.ts";
import { useEnvironment } from "./environment.ts";
import { keys, pollMs } from "./queries.ts";

/** Within an environment. */
export type HostChoice = Omit<HostFilter, "environment">;

/** Fleets up to this size are in the browser as a whole. */
export const hostsPerPage = 500;

/** Pages of the hosts of the environment on screen, by id; while other ones are fetched the ones before stay. */
export function useHostPages(choice: HostChoice = {}, { limit = hostsPerPage, enabled = true } = {}) {
  const environment = useEnvironment();
  return useInfiniteQuery({
    queryKey: [...keys.hostPages, environment, choice, limit],
    queryFn: ({ pageParam: after, signal }) =>
      api.hosts.list({ environment, ...choice, limit, ...(after === "" ? {} : { after }) }, { signal }),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
    refetchInterval: pollMs,
    placeholderData: (before) => before,
    enabled,
  });
}

/** How many of them are how; the same numbers whatever is on screen. */
export function useHostCounts(choice: HostChoice = {}) {
  const environment = useEnvironment();
  return useQuery({
    queryKey: [...keys.hostCounts, environment, choice],
    queryFn: ({ signal }) => api.hosts.count({ environment, ...choice }, { signal }),
    refetchInterval: pollMs,
    placeholderData: (before) => before,
  });
}

export const useHost = (id: string | undefined) =>
  useQuery({
    queryKey: [...keys.hosts, "one", id],
    queryFn: ({ signal }) => api.hosts.get({ id: id ?? "" }, { signal }),
    refetchInterval: pollMs,
    enabled: id !== undefined,
  });

type Pages = InfiniteData<HostPage, string>;

/** Hosts as an event brought them, wherever they are on screen. Which lists they are in now, and the numbers, are for the server to say. */
export function showHosts(queries: QueryClient, changed: ReadonlyMap<string, Host>): void {
  queries.setQueriesData<Pages>({ queryKey: keys.hostPages }, (known) => {
    if (!known?.pages.some(({ items }) => items.some(({ id }) => changed.has(id)))) return known;
    const pages = known.pages.map((page) => ({ ...page, items: page.items.map((host) => changed.get(host.id) ?? host) }));
    return { ...known, pages };
  });
  for (const host of changed.values()) {
    queries.setQueryData<Host>([...keys.hosts, "one", host.id], (known) => known && host);
  }
}

/** Scrolled further than this a list keeps to its own pace: it is read page by page, and a fleet that is under way changes all the time. */
const freshPages = 2;

/** Asks again for all that follows from hosts and is on screen. */
export function refreshHosts(queries: QueryClient): void {
  void queries.invalidateQueries({
    queryKey: keys.hosts,
    predicate: ({ state }) => ((state.data as Partial<Pages> | undefined)?.pages?.length ?? 0) <= freshPages,
  });
}
