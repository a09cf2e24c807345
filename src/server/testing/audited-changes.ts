import { randomBytes } from "node:crypto";
import { until } from "../../../test/harness/until.ts";
import { type EnvironmentName, generateKeyPair, hasCode, type Id, type PackageName } from "../../contract/index.ts";
import { commitTestGeneration } from "./test-generation.ts";
import { joinWith, type TestClient, type TestHost, type TestServer } from "./test-server.ts";

/** Where changes are tried out. An install of `default` is under way and stays so: whatever is queued waits. */
export interface ChangeStage {
  server: TestServer;
  admin: TestClient;
  /** The client of an enrolled host, `worker`, that has reported. */
  host: TestClient;
  hostKey: TestHost;
}

/** How one changing route is called with success, and which row that leaves in the audit log. */
export interface AuditedChange {
  /** What must be there beforehand. */
  given?(stage: ChangeStage): Promise<unknown>;
  call(stage: ChangeStage): Promise<unknown>;
  /** A row's action and target; or why there is none. */
  leaves: { action: string; target: string | RegExp; actor?: RegExp } | { nothing: string };
}

const named = (name: string) => name as EnvironmentName & PackageName;
const environment = named("changes");
const worker: Id = "worker";
const outcome = { error: { code: "E_RUN_FAILED", message: "It did not start." } };

const page = (server: TestServer) => ({
  origin: server.url,
  "content-type": "application/json",
  "sec-fetch-site": "same-origin",
});
let cookie = "";
const signIn = async (stage: ChangeStage) => {
  const response = await stage.server.fetch("/api/session", {
    method: "POST",
    body: JSON.stringify({ token: stage.server.adminToken }),
    headers: page(stage.server),
  });
  if (!response.ok) throw new Error(await response.text());
  cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
};

let asked: Id = "";
let queued: Id = "";
let waived: Id = "";
let enrolment: Awaited<ReturnType<TestServer["admin"]["hosts"]["enrol"]>>;
let token: Id = "";

/** Every changing route by its name. A test fails when one is missing: say here what it leaves in the audit log. */
export const auditedChanges: Record<string, AuditedChange> = {
  "environments.create": {
    call: ({ admin }) => admin.environments.create({ name: "made" }),
    leaves: { action: "environment.create", target: "made" },
  },
  "environments.remove": {
    given: async ({ server, admin }) => {
      await admin.environments.create({ name: "doomed" });
      await server.join("doomed-host", "doomed");
      await admin.hosts.enrol({ environment: "doomed" });
    },
    call: ({ admin }) => admin.environments.remove({ environment: "doomed", revokeHosts: true }),
    leaves: { action: "environment.remove", target: "doomed" },
  },
  "packages.add": {
    call: ({ admin }) => admin.packages.add({ environment, packages: [{ name: "plain", version: "1.0.0" }, { name: "other" }] }),
    leaves: { action: "package.add", target: environment },
  },
  "packages.setEnabled": {
    given: ({ admin }) => admin.packages.add({ environment, packages: [{ name: "plain", version: "1.0.0" }] }),
    call: ({ admin }) => admin.packages.setEnabled({ environment, name: named("plain"), enabled: false }),
    leaves: { action: "package.disable", target: "changes/plain" },
  },
  "packages.remove": {
    given: ({ admin }) => admin.packages.add({ environment, packages: [{ name: "plain", version: "1.0.0" }] }),
    call: ({ admin }) => admin.packages.remove({ environment, name: named("plain") }),
    leaves: { action: "package.remove", target: "changes/plain" },
  },
  "requests.create": {
    call: ({ admin }) => admin.requests.create({ environment, name: "wanted" }),
    leaves: { action: "request.create", target: "changes/wanted" },
  },
  "requests.decline": {
    given: async ({ admin }) => {
      asked = (await admin.requests.create({ environment, name: "unwanted" })).id;
    },
    call: ({ admin }) => admin.requests.decline({ environment, id: asked }),
    leaves: { action: "request.decline", target: "changes/unwanted" },
  },
  "installs.start": {
    call: ({ admin }) => admin.installs.start({ environment }),
    leaves: { action: "install.start", target: environment },
  },
  "operations.cancel": {
    given: async ({ admin }) => {
      queued = (await admin.installs.start({ environment })).operation.id;
    },
    call: ({ admin }) => admin.operations.cancel({ id: queued }),
    leaves: { action: "operation.cancel", target: /^changes\/op-/ },
  },
  "generations.annotate": {
    given: ({ server }) => commitTestGeneration(server.context, { content: randomBytes(10), environment: named("noted") }),
    call: ({ admin }) => admin.generations.annotate({ environment: "noted", number: 1, note: "known good" }),
    leaves: { action: "generation.annotate", target: "noted/1" },
  },
  "generations.rollback": {
    given: async ({ server }) => {
      for (let i = 0; i < 2; i++)
        await commitTestGeneration(server.context, { content: randomBytes(10), environment: named("rolled") });
    },
    call: ({ admin }) => admin.generations.rollback({ environment: "rolled", number: 1 }),
    leaves: { action: "generation.rollback", target: "rolled/1" },
  },
  "generations.advance": {
    given: ({ server }) => commitTestGeneration(server.context, { content: randomBytes(10), environment: named("rolled") }),
    call: ({ admin }) => admin.generations.advance({ environment: "rolled", past: 50 }),
    leaves: { action: "generation.advance", target: /^rolled\/\d+$/ },
  },
  "generations.promote": {
    given: async ({ server, admin }) => {
      await commitTestGeneration(server.context, { content: randomBytes(10), environment: named("tried") });
      await admin.policy.set({ environment: "promoted", change: { minReleaseAgeMs: 0 } });
    },
    call: ({ admin }) => admin.generations.promote({ environment: "tried", number: 1, to: "promoted" }),
    leaves: { action: "generation.promote", target: "promoted" },
  },
  "hosts.enrol": {
    call: ({ admin }) => admin.hosts.enrol({ id: "newcomer", environment }),
    leaves: { action: "host.enrol", target: "newcomer" },
  },
  "hosts.revoke": {
    given: ({ server }) => server.join("leaver", environment),
    call: ({ admin }) => admin.hosts.revoke({ id: "leaver" }),
    leaves: { action: "host.revoke", target: "leaver" },
  },
  join: {
    given: async ({ admin }) => {
      enrolment = await admin.hosts.enrol({ id: "joiner", environment });
    },
    call: async ({ server }) => {
      const answer = await joinWith(server.url, enrolment.token, await generateKeyPair());
      if (!answer.ok) throw new Error(await answer.text());
    },
    leaves: { action: "host.join", target: "joiner", actor: /^enrolment enr-/ },
  },
  "hosts.revokeEnrolment": {
    given: async ({ admin }) => {
      enrolment = await admin.hosts.enrol({ environment });
    },
    call: ({ admin }) => admin.hosts.revokeEnrolment({ id: enrolment.enrolment.id }),
    leaves: { action: "enrolment.revoke", target: /^enr-/ },
  },
  "hosts.reconcile": {
    call: ({ admin }) => admin.hosts.reconcile({ id: worker }),
    leaves: { action: "host.reconcile", target: worker },
  },
  "hosts.run": {
    async call({ admin, host }) {
      const sent = admin.hosts.run({ id: worker, script: "export default 1" });
      const answer = until("a script waits", async () => {
        const [run] = await host.hosts.claimRuns({ max: 1 });
        return run !== undefined && (await host.hosts.finishRun({ id: run.id, outcome }));
      });
      try {
        await Promise.race([sent, answer]);
        await sent;
      } catch (error) {
        if (!hasCode(error, "E_RUN_FAILED")) throw error;
      }
    },
    leaves: { action: "host.run", target: worker },
  },
  "hosts.claimRuns": {
    call: ({ host }) => host.hosts.claimRuns({ max: 1 }),
    leaves: { nothing: "a host takes what was sent to it; the sending left a row" },
  },
  "hosts.finishRun": {
    call: ({ host }) => host.hosts.finishRun({ id: "run-none", outcome }),
    leaves: { nothing: "a host answers" },
  },
  "hosts.report": {
    call: ({ host }) => reportOf(host),
    leaves: { nothing: "a host says how it is" },
  },
  "plans.create": {
    call: ({ admin }) => admin.plans.create({ environment }),
    leaves: { nothing: "it only says what an install would do" },
  },
  "policy.set": {
    call: ({ admin }) => admin.policy.set({ environment, change: { deprecated: "refuse" } }),
    leaves: { action: "policy.set", target: environment },
  },
  "policy.test": {
    call: ({ admin }) => admin.policy.test({ environment, change: { deprecated: "refuse" } }),
    leaves: { nothing: "it only says what a policy would refuse" },
  },
  "waivers.add": {
    call: ({ admin }) =>
      admin.waivers.add({ environment, waiver: { rule: "deprecated", name: named("plain"), reason: "needed until autumn" } }),
    leaves: { action: "waiver.add", target: environment },
  },
  "waivers.remove": {
    given: async ({ admin }) => {
      const waiver = { rule: "deprecated", name: named("plain"), reason: "needed until autumn" } as const;
      waived = (await admin.waivers.add({ environment, waiver })).id;
    },
    call: ({ admin }) => admin.waivers.remove({ environment, id: waived }),
    leaves: { action: "waiver.remove", target: environment },
  },
  "revocations.plan": {
    call: ({ admin }) => admin.revocations.plan({ name: named("other"), version: "2.0.0" }),
    leaves: { nothing: "it only says what a revocation would do" },
  },
  "revocations.add": {
    call: ({ admin }) => admin.revocations.add({ name: named("other"), version: "2.0.0" }),
    leaves: { action: "version.revoke", target: "other@2.0.0" },
  },
  "revocations.remove": {
    call: ({ admin }) => admin.revocations.remove({ name: named("other"), version: "2.0.0" }),
    leaves: { action: "version.reinstate", target: "other@2.0.0" },
  },
  "registries.set": {
    call: ({ admin }) => admin.registries.set({ name: "corp", url: "https://npm.example/", scopes: ["@corp"] }),
    leaves: { action: "registry.set", target: "corp" },
  },
  "registries.test": {
    call: ({ admin }) => admin.registries.test({ name: "default" }),
    leaves: { nothing: "it tries settings out and keeps none" },
  },
  "registries.import": {
    call: ({ admin }) => admin.registries.import({ npmrc: "@imported:registry=https://imported.example/" }),
    leaves: { action: "registry.import", target: /./ },
  },
  "registries.remove": {
    call: ({ admin }) => admin.registries.remove({ name: "corp" }),
    leaves: { action: "registry.remove", target: "corp" },
  },
  "signingKeys.announce": {
    call: ({ admin }) => admin.signingKeys.announce(),
    leaves: { action: "key.announce", target: /^[0-9a-f]{32}$/ },
  },
  "signingKeys.rotate": {
    call: ({ admin }) => admin.signingKeys.rotate({ now: true }),
    leaves: { action: "key.rotate", target: /^[0-9a-f]{32}$/ },
  },
  "secrets.rotate": {
    call: ({ admin }) => admin.secrets.rotate(),
    leaves: { action: "secrets.rotate", target: /./ },
  },
  "session.create": { call: signIn, leaves: { action: "session.create", target: /^ses-/ } },
  "session.end": {
    given: signIn,
    call: async (stage) => {
      const response = await stage.server.fetch("/api/session", { method: "DELETE", headers: { ...page(stage.server), cookie } });
      if (!response.ok) throw new Error(await response.text());
    },
    leaves: { action: "session.end", target: /^ses-/ },
  },
  "storage.migrate": {
    call: ({ admin }) => admin.storage.migrate({ target: "postgres" }),
    leaves: { action: "storage.migrate", target: "postgres" },
  },
  "storage.cancelMigration": {
    given: ({ admin }) => admin.storage.migrate({ target: "postgres" }),
    call: ({ admin }) => admin.storage.cancelMigration(),
    leaves: { action: "storage.cancel", target: "postgres" },
  },
  "storage.resumeMigration": {
    call: ({ admin }) => admin.storage.resumeMigration({}),
    leaves: { action: "storage.migrate", target: "postgres" },
  },
  "storage.collect": {
    call: ({ admin }) => admin.storage.collect({}),
    leaves: { action: "storage.collect", target: "all" },
  },
  "storage.verify": {
    call: ({ admin }) => admin.storage.verify({}),
    leaves: { action: "storage.audit", target: "all" },
  },
  "tokens.create": {
    call: ({ admin }) => admin.tokens.create({ role: "author", subject: "Ada" }),
    leaves: { action: "token.create", target: /^tok-/ },
  },
  "tokens.revoke": {
    given: async ({ admin }) => {
      token = (await admin.tokens.create({ role: "author", subject: "Ada" })).token.id;
    },
    call: ({ admin }) => admin.tokens.revoke({ id: token }),
    leaves: { action: "token.revoke", target: /^tok-/ },
  },
  blobs: {
    call: async ({ server, hostKey }) => {
      const body = JSON.stringify({ keys: ["0".repeat(128)] });
      const response = await server.fetch("/api/blobs/batch", { method: "POST", token: hostKey, body, headers: page(server) });
      if (!response.ok) throw new Error(await response.text());
    },
    leaves: { nothing: "it reads: POST only because its list of keys is long" },
  },
};

export const reportOf = (host: TestClient) =>
  host.hosts.report({
    phase: "ready",
    generation: 1,
    platform: { os: "linux", cpu: "x64", libc: "glibc" },
    agentVersion: "0.1.0",
    runsInFlight: 0,
  });
