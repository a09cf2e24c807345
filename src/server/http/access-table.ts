import type { contract, Role, rawRoutes } from "../../contract/index.ts";

/** `anyone` needs no token. */
export type Access = readonly Role[] | "anyone";

type ContractAccess = { [Group in keyof typeof contract]: { [Name in keyof (typeof contract)[Group]]: Access } };

const admin = ["admin"] as const;
const operators = ["admin", "operator"] as const;
const viewers = ["admin", "operator", "viewer"] as const;
const readers = ["admin", "operator", "viewer", "author"] as const;
const runners = ["admin", "operator", "author"] as const;
const host = ["host"] as const;

/** Who may call what. A contract route that is missing here does not compile. */
export const contractAccess: ContractAccess = {
  audit: { list: viewers },
  status: { get: readers },
  environments: { list: readers, get: readers, create: admin, remove: admin },
  packages: { list: readers, add: operators, remove: operators, setEnabled: operators },
  requests: { list: readers, create: runners, decline: operators },
  installs: { start: operators },
  operations: { list: readers, get: readers, cancel: operators },
  generations: {
    list: readers,
    get: readers,
    diff: readers,
    annotate: operators,
    rollback: operators,
    advance: operators,
    promote: operators,
  },
  hosts: {
    list: readers,
    count: readers,
    get: readers,
    enrol: admin,
    enrolments: admin,
    revokeEnrolment: admin,
    revoke: admin,
    reconcile: operators,
    run: runners,
    claimRuns: host,
    finishRun: host,
    report: host,
  },
  session: { create: "anyone", get: readers, end: readers },
  plans: { create: readers },
  policy: { get: readers, set: admin, test: viewers },
  waivers: { list: readers, add: admin, remove: admin },
  revocations: { list: readers, plan: operators, add: operators, remove: admin },
  storage: {
    status: readers,
    planMigration: viewers,
    migrate: admin,
    resumeMigration: admin,
    cancelMigration: admin,
    planCollection: viewers,
    collect: admin,
    verify: admin,
  },
  registries: { list: viewers, set: admin, remove: admin, test: admin, import: admin, search: readers, versions: readers },
  secrets: { rotate: admin },
  signingKeys: { list: viewers, announce: admin, rotate: admin },
  tokens: { list: viewers, create: admin, revoke: admin },
};

export const rawAccess: Record<keyof typeof rawRoutes, Access> = {
  openapi: "anyone",
  health: "anyone",
  ready: "anyone",
  metrics: [...viewers, "metrics"],
  events: [...readers, "host"],
  // With an enrolment token, which is nobody's.
  join: "anyone",
  self: host,
  // Public halves: a host whose clock is wrong cannot prove yet who it is.
  signingChain: "anyone",
  desired: host,
  manifest: host,
  blob: host,
  blobs: host,
  types: readers,
  typesBundle: readers,
};
