import { queryOptions, useQuery } from "@tanstack/react-query";
import { api } from "./client.ts";
import { useEnvironment } from "./environment.ts";

/** Events say when to look again; this is for those that were lost. */
export const pollMs = 30_000;

export const keys = {
  session: ["session"] as const,
  environments: ["environments"] as const,
  packages: (environment: string) => ["packages", environment] as const,
  requests: (environment: string) => ["requests", environment] as const,
  generations: (environment: string) => ["generations", environment] as const,
  operations: ["operations"] as const,
  /** All that follows from hosts. */
  hosts: ["hosts"] as const,
  hostPages: ["hosts", "pages"] as const,
  hostCounts: ["hosts", "counts"] as const,
  enrolments: ["enrolments"] as const,
  storage: ["storage"] as const,
};

export const environmentsQuery = queryOptions({
  queryKey: keys.environments,
  queryFn: ({ signal }) => api.environments.list(undefined, { signal }),
});
export const packagesQuery = (environment: string) =>
  queryOptions({
    queryKey: keys.packages(environment),
    queryFn: ({ signal }) => api.packages.list({ environment }, { signal }),
    refetchInterval: pollMs,
  });
export const generationsQuery = (environment: string) =>
  queryOptions({
    queryKey: keys.generations(environment),
    queryFn: async ({ signal }) => (await api.generations.list({ environment, limit: 200 }, { signal })).items,
    refetchInterval: pollMs,
  });
export const operationsQuery = queryOptions({
  queryKey: keys.operations,
  queryFn: async ({ signal }) => (await api.operations.list({ limit: 100 }, { signal })).items,
  refetchInterval: pollMs,
});
export const storageQuery = queryOptions({
  queryKey: keys.storage,
  queryFn: ({ signal }) => api.storage.status(undefined, { signal }),
  refetchInterval: pollMs,
});

const requestsQuery = (environment: string) =>
  queryOptions({
    queryKey: keys.requests(environment),
    queryFn: ({ signal }) => api.requests.list({ environment }, { signal }),
    refetchInterval: pollMs,
  });

export const useRequests = () => useQuery(requestsQuery(useEnvironment()));
export const usePackages = () => useQuery(packagesQuery(useEnvironment()));
export const useGenerations = () => useQuery(generationsQuery(useEnvironment()));
export const useOperations = () => useQuery(operationsQuery);
export const useStorage = () => useQuery(storageQuery);
