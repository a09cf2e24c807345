import { implement, ORPCError } from "@orpc/server";
import {
  contract,
  type ErrorCode,
  type ExactVersion,
  type Host,
  httpStatusOf,
  LarderError,
  type LockfileHash,
  type PackageName,
} from "../../contract/index.ts";
import { countsOf, enrolment, environment, lockfileHash, now, operation, packageEntry, signingKey } from "./fake-answers.ts";
import type { FakeState } from "./fake-server.ts";

/** The contract's routes over `state`, and every call written down in it. */
export function routerOver(state: FakeState) {
  const os = implement(contract).use(async ({ path, next }, input) => {
    state.calls.push(`${path.join(".")} ${JSON.stringify(input)}`);
    if (state.failWith) throw wire(state.failWith);
    return next();
  });
  const find = <T extends { id?: string; name?: string }>(list: T[], key: string): T =>
    list.find((item) => item.id === key || item.name === key) ?? refuse("E_NOT_FOUND", `There is no ${key}.`);
  const storage = {
    active: "fs",
    blobs: 3,
    bytes: 120_000,
    migration: { state: "idle" as const, target: null, error: null, done: 0, total: 0, doneBytes: 0, totalBytes: 0 },
    stores: [{ name: "fs", configured: true, blobs: 3, bytes: 120_000, strayBlobs: 0, strayBytes: 0 }],
    unreferenced: { blobs: 0, bytes: 0 },
    quarantined: [],
    collection: { reclaimedTotalBytes: 0 },
  };
  const generation = (number: number) => ({
    environment,
    number,
    lockfileHash,
    createdAt: now,
    createdBy: "alice",
    reason: "install" as const,
    packages: [{ name: "dayjs" as PackageName, version: "1.11.13" as ExactVersion }],
    nodes: 3,
    current: number === state.generation,
    available: true,
  });
  const registry = {
    name: "corp",
    url: "https://npm.corp.example/",
    scopes: ["@corp"],
    names: [],
    tarballOrigins: [],
    auth: "bearer" as const,
    hasToken: true,
    source: "stored" as const,
  };
  return {
    status: {
      get: os.status.get.handler(({ input }) => ({
        version: "0.1.0",
        storeId: "store-12345678",
        environment: input.environment,
        generation: state.generation,
        lockfileHash,
        installDue: state.installDue,
        packages: state.packages.length,
        fleet: countsOf(state.hosts),
        storage,
        ...(state.operations[0] && { operation: state.operations[0] }),
      })),
    },
    audit: {
      list: os.audit.list.handler(() => ({
        items: [{ id: 7, at: now, actor: "alice", action: "package.add", target: "default", details: { packages: 1 } }],
        next: 7,
      })),
    },
    environments: {
      list: os.environments.list.handler(() => [{ name: environment, createdAt: now, generation: state.generation }]),
      get: os.environments.get.handler(({ input }) => ({
        name: input.environment,
        createdAt: now,
        generation: state.generation,
        lockfileHash: input.environment === environment ? lockfileHash : ("9".repeat(64) as LockfileHash),
        changedAt: now,
        installDue: state.installDue,
        packages: state.packages.length,
        enabled: state.packages.length,
        hosts: state.hosts.length,
      })),
      create: os.environments.create.handler(({ input }) => ({ name: input.name, createdAt: now, generation: 0 })),
      remove: os.environments.remove.handler(({ input }) => ({ name: input.environment, revokedHosts: [] })),
    },
    packages: {
      list: os.packages.list.handler(() => ({ revision: 1, packages: state.packages, installDue: state.installDue })),
      add: os.packages.add.handler(({ input }) => {
        const entries = input.packages.map(({ name, version }) => ({
          ...packageEntry(name, version ?? "9.9.9"),
          change: "added" as const,
        }));
        state.packages.push(...entries.map(({ change, ...entry }) => entry));
        return entries;
      }),
      remove: os.packages.remove.handler(({ input }) => {
        const entry = find(state.packages, input.name);
        state.packages = state.packages.filter((other) => other !== entry);
        return entry;
      }),
      setEnabled: os.packages.setEnabled.handler(({ input }) => ({
        ...find(state.packages, input.name),
        enabled: input.enabled,
      })),
    },
    installs: { start: os.installs.start.handler(() => ({ operation: state.steps[0]!, joined: state.joined })) },
    operations: {
      list: os.operations.list.handler(() => ({ items: state.operations })),
      get: os.operations.get.handler(() => (state.steps.length > 1 ? state.steps.splice(0, 1)[0]! : state.steps[0]!)),
      cancel: os.operations.cancel.handler(({ input }) => operation(input.id, { state: "cancelled" })),
    },
    generations: {
      list: os.generations.list.handler(() => ({
        items: [generation(2), generation(1)].filter(({ number }) => number <= state.generation),
      })),
      get: os.generations.get.handler(({ input }) =>
        input.number <= state.generation
          ? generation(input.number)
          : refuse("E_NOT_FOUND", `There is no generation ${input.number}.`),
      ),
      diff: os.generations.diff.handler(() => state.diff),
      annotate: os.generations.annotate.handler(({ input }) => ({ ...generation(input.number), note: input.note })),
      promote: os.generations.promote.handler(({ input }) => ({
        ...generation(3),
        environment: input.to,
        reason: "promotion",
        promotedFrom: { environment: input.environment, number: input.number },
      })),
      advance: os.generations.advance.handler(({ input }) => ({
        ...generation((input.past ?? 7) + 1),
        reason: "rollback",
        rollbackOf: 2,
      })),
      rollback: os.generations.rollback.handler(({ input }) => ({
        ...generation(3),
        reason: "rollback",
        rollbackOf: input.number,
      })),
    },
    hosts: {
      list: os.hosts.list.handler(({ input }) => {
        const { state: wanted, below = Number.POSITIVE_INFINITY, behind, silent, search = "", after = "", limit } = input;
        const states = wanted === undefined ? undefined : [wanted].flat();
        const left = state.hosts.filter(
          (each) =>
            each.generation < below &&
            (behind === undefined || each.lag > 0) &&
            isAsSilent(each, silent) &&
            (states === undefined || states.includes(each.state)) &&
            each.id.includes(search) &&
            each.id > after,
        );
        const items = left.slice(0, limit);
        return left.length > limit ? { items, next: items.at(-1)!.id } : { items };
      }),
      count: os.hosts.count.handler(({ input }) => countsOf(state.hosts.filter((each) => isAsSilent(each, input.silent)))),
      get: os.hosts.get.handler(({ input }) => find(state.hosts, input.id)),
      enrol: os.hosts.enrol.handler(({ input }) => ({
        enrolment: enrolment(input.id),
        token: "ldr_enrol_secret.0123456789abcdef0123456789abcdef.01234567",
      })),
      enrolments: os.hosts.enrolments.handler(() => [enrolment("worker-9"), enrolment(undefined)]),
      revokeEnrolment: os.hosts.revokeEnrolment.handler(({ input }) => ({
        ...enrolment(undefined),
        id: input.id,
        state: "revoked",
      })),
      revoke: os.hosts.revoke.handler(({ input }) => find(state.hosts, input.id)),
      reconcile: os.hosts.reconcile.handler(({ input }) => {
        const found = find(state.hosts, input.id);
        const before = { ...found };
        setTimeout(() => Object.assign(found, { generation: state.generation, lastSeenAt: "2026-01-31T12:00:01.000Z" }), 200);
        return before;
      }),
    },
    waivers: {
      add: os.waivers.add.handler(({ input }) => {
        const { expiresInMs, ...waiver } = input.waiver;
        return { ...waiver, id: "1f2e3d4c", environment, createdBy: "alice", createdAt: now, expired: false };
      }),
    },
    revocations: {
      add: os.revocations.add.handler(async ({ input: { name, version, reason } }) => {
        state.onRevoke?.();
        if (state.onRevoke) await Bun.sleep(300);
        return {
          revocation: { name, version, ...(reason === undefined ? {} : { reason }), revokedBy: "alice", revokedAt: now },
          effects: [{ environment, holds: true, repin: [], disable: [{ name, version }] }],
          installs: [state.steps[0]!],
        };
      }),
    },
    registries: {
      list: os.registries.list.handler(() => [registry]),
      set: os.registries.set.handler(({ input }) => ({ ...registry, name: input.name, hasToken: input.auth !== undefined })),
      remove: os.registries.remove.handler(() => registry),
      import: os.registries.import.handler(() => ({
        registries: [registry],
        changes: [{ name: "corp", change: "added" }],
        ignored: [],
      })),
      search: os.registries.search.handler(() => ({ results: [], registries: [] })),
      test: os.registries.test.handler(() => ({
        ok: false,
        steps: [{ step: "auth", state: "failed", message: "it does not accept the token", hint: "Give it again.", ms: 3 }],
      })),
    },
    storage: { status: os.storage.status.handler(() => storage) },
    signingKeys: {
      list: os.signingKeys.list.handler(() => [signingKey("announced"), signingKey("active")]),
      announce: os.signingKeys.announce.handler(() => signingKey("announced")),
      rotate: os.signingKeys.rotate.handler(() => signingKey("active")),
    },
    tokens: {
      list: os.tokens.list.handler(() => []),
      create: os.tokens.create.handler(({ input }) => ({
        token: { id: "tok_1", role: input.role, subject: input.subject, createdAt: now },
        text: "ldr_author_secretsecretsecret",
      })),
      revoke: os.tokens.revoke.handler(({ input }) => ({ id: input.id, role: "author", subject: "ci", createdAt: now })),
    },
  };
}

const isAsSilent = ({ state }: Host, wanted: boolean | string | undefined): boolean =>
  wanted === undefined || String(wanted) === String(state === "silent");

function refuse(code: ErrorCode, message: string): never {
  throw wire(new LarderError(code, message, { hint: "Look again." }));
}

const wire = (error: LarderError): ORPCError<string, unknown> =>
  new ORPCError(error.code, { status: httpStatusOf(error.code), message: error.message, data: error.toBody() });
