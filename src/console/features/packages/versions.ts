import { queryOptions } from "@tanstack/react-query";
import { api } from "../../api/client.ts";

/** What a package's registry has of it. The control plane keeps answers for a while, and so do we. */
export const versionsQuery = (name: string) =>
  queryOptions({
    queryKey: ["versions", name],
    queryFn: ({ signal }) => api.registries.versions({ name, limit: 500 }, { signal }),
    staleTime: 10 * 60_000,
    retry: false,
  });
