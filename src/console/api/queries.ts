import { queryOptions, useQuery } from "@tanstack/react-query";
import { api } from "./client.ts";
import { useEnvironment } from "./environment.ts";

/** Events say when to look again; this is for those that were lost. */
const pollMs = 30_000;

export const keys = {
  session: ["session"] as const,
  environments: ["environments"] as const,
  packages: (environment: string) => ["packages", environment] as const,
  requests: (environment: string) => ["requests", environment] as const,
  generations: (environment: string) => ["generations", environment] as const,
  operations: ["operations"] as const,
  hosts: ["hosts"] as const,
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
    queryFn: ({ signal }) => api.generations.list({ environment, limit: 200 }, { signal }),
    refetchInterval: pollMs,
  });
export const operationsQuery = queryOptions({
  queryKey: keys.operations,
  queryFn: ({ signal }) => api.operations.list({ limit: 100 }, { signal }),
  refetchInterval: pollMs,
});
export const hostsQuery = queryOptions({
  queryKey: keys.hosts,
  queryFn: ({ signal }) => api.hosts.list({}, { signal }),
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

/** The hosts of the environment on screen. */
export const useHosts = () => {
  const environment = useEnvironment();
  return useQuery({ ...hostsQuery, select: (hosts) => hosts.filter((host) => host.environment === environment) });
};
