import type { contract, Role, rawRoutes } from "../../contract/index.ts";

/** `anyone` needs no token. */
export type Access = readonly Role[] | "anyone";

type ContractAccess = { [Group in keyof typeof contract]: { [Name in keyof (typeof contract)[Group]]: Access } };

const admin = ["admin"] as const;
const readers = ["admin", "author"] as const;
const host = ["host"] as const;

/** Who may call what. A contract route that is missing here does not compile. */
export const contractAccess: ContractAccess = {
  status: { get: readers },
  environments: { list: readers, create: admin },
  packages: { list: readers, add: admin, remove: admin, setEnabled: admin },
  installs: { start: admin },
  operations: { list: readers, get: readers, cancel: admin },
  generations: { list: readers, diff: readers, rollback: admin },
  hosts: {
    list: readers,
    get: readers,
    enrol: admin,
    revoke: admin,
    reconcile: admin,
    run: readers,
    claimRuns: host,
    finishRun: host,
    report: host,
  },
  storage: {
    status: readers,
    planMigration: admin,
    migrate: admin,
    resumeMigration: admin,
    cancelMigration: admin,
    planCollection: admin,
    collect: admin,
    verify: admin,
  },
  tokens: { list: admin, create: admin, revoke: admin },
};

export const rawAccess: Record<keyof typeof rawRoutes, Access> = {
  openapi: "anyone",
  health: "anyone",
  ready: "anyone",
  events: ["admin", "author", "host"],
  self: host,
  desired: host,
  manifest: host,
  blob: host,
  blobs: host,
};
