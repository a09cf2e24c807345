import { useDeferredValue, useEffect, useState } from "react";
import type { Host } from "../../../contract/index.ts";
import { useHost, useHostCounts, useHostPages } from "../../api/host-queries.ts";

export interface HostChoiceState {
  /** Where scripts run: the chosen one, else one that is ready. */
  host: Host | undefined;
  hosts: Host[];
  /** There are others than those in `hosts`, which are found by their names. */
  isMany: boolean;
  search: string;
  onSearch(text: string): void;
  onChoose(id: string): void;
}

export function useHostChoice(): HostChoiceState {
  const [chosen, onChoose] = useState<string>();
  const [search, onSearch] = useState("");
  const pages = useHostPages({ search: useDeferredValue(search.trim()) });
  const hosts = pages.data?.pages[0]?.items ?? [];
  const isMany = (useHostCounts().data?.total ?? 0) > hosts.length && (pages.hasNextPage || search !== "");
  // Its name may be typed to the end before the control plane has found it.
  const named = search !== "" && hosts.some(({ id }) => id === search.trim()) ? search.trim() : undefined;
  useEffect(() => {
    if (named !== undefined) onChoose(named);
  }, [named]);
  const known = hosts.find(({ id }) => id === chosen);
  const elsewhere = useHost(known ? undefined : chosen).data;
  const host = known ?? elsewhere ?? hosts.find(({ phase }) => phase === "ready") ?? hosts[0];
  return { host, hosts, isMany, search, onSearch, onChoose };
}
