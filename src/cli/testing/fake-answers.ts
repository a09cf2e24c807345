import type {
  Enrolment,
  EnvironmentName,
  ExactVersion,
  Host,
  LockfileHash,
  OperationOf,
  PackageEntry,
  PackageName,
} from "../../contract/index.ts";

type Install = OperationOf<"install">;

export const environment = "default" as EnvironmentName;
export const now = "2026-01-31T12:00:00.000Z";
export const lockfileHash = "1f2e3d4c".repeat(8) as LockfileHash;

export const packageEntry = (name: string, version = "1.0.0", enabled = true): PackageEntry => ({
  name: name as PackageName,
  version: version as ExactVersion,
  enabled,
  addedBy: "alice",
  addedAt: now,
});

/** As a control plane at generation 2 would show it. */
export function host(id: string, overrides: Partial<Host> = {}): Host {
  const { generation = 2, error } = overrides;
  const lag = Math.max(0, 2 - generation);
  return {
    id,
    environment,
    labels: {},
    createdAt: now,
    lastSeenAt: now,
    generation,
    lockfileHash,
    accepted: generation,
    phase: "ready",
    state: error ? "failing" : lag > 0 ? "behind" : "current",
    ...(error ? { reason: `${error.code}: ${error.message}`, since: now } : {}),
    wanted: 2,
    lag,
    platform: { os: "linux", cpu: "x64", libc: "glibc" },
    runsInFlight: 0,
    sessions: [],
    ...overrides,
  };
}

export const enrolment = (hostId: string | undefined): Enrolment => ({
  id: "enr-1f2e3d4c-9049-4eb5-a3e7-351b71004c65",
  environment,
  ...(hostId === undefined ? {} : { hostId }),
  labels: {},
  uses: 1,
  used: 0,
  createdAt: now,
  createdBy: "alice",
  expiresAt: now,
  state: "open",
});

export const operation = (id: string, overrides: Partial<Install> = {}): Install => ({
  id,
  kind: "install",
  environment,
  state: "queued",
  attempt: 1,
  requestedBy: "alice",
  createdAt: now,
  ...overrides,
});

export const succeeded = (id: string, changed = true): Install =>
  operation(id, {
    state: "succeeded",
    startedAt: now,
    endedAt: now,
    result: {
      generation: 2,
      lockfileHash,
      changed,
      nodes: 3,
      blobs: 3,
      bytes: 120_000,
      fetched: 1,
      fetchedBytes: 40_000,
      timingsMs: { resolve: 120, fetch: 900 },
    },
  });

export const signingKey = <State extends "active" | "announced">(state: State) => ({
  keyId: "0123456789abcdef0123456789abcdef",
  publicKey: "A".repeat(44),
  state,
  createdAt: now,
  hosts: state === "active" ? 5 : 3,
});

export const countsOf = (hosts: Host[]) => ({
  total: hosts.length,
  groups: hosts.map(({ state, phase, generation }) => ({ state, phase, generation, hosts: 1 })),
});
