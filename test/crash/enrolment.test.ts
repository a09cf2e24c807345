import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Enrolment, HostPage } from "../../src/contract/index.ts";
import { openLoadBalancer } from "../harness/load-balancer.ts";
import { startPostgres } from "../harness/postgres.ts";
import { type LarderServer, startAgent, startServer } from "../harness/processes.ts";
import { openTempDir } from "../harness/temp-dir.ts";
import { until } from "../harness/until.ts";

setDefaultTimeout(300_000);

const startMs = 90_000;

/** All steps of exchanging a token for an identity, in order, on each side. */
const enrolSteps = ["enrol:inserted", "enrol:before-commit", "enrol:before-answer"];
const joinSteps = ["join:before-key", "join:before-request", "join:before-identity", "join:after-identity"];

/** A control plane that may be killed and started again, behind an address that stays. */
interface Stage extends AsyncDisposable {
  address: string;
  /** `name:kill` makes it die there. */
  start(failpoint?: string): Promise<LarderServer>;
  api<T>(method: string, path: string, body?: unknown): Promise<T>;
  dataDirOf(host: string): string;
}

/** `embedded`: the same data directory again. `postgres`: another replica, which has nothing but the database in common. */
async function openStage(kind: "embedded" | "postgres"): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openTempDir("enrolment"));
  const balancer = stack.use(await openLoadBalancer());
  const database = kind === "postgres" ? await stack.use(await startPostgres()).createDatabase() : undefined;
  const args = ["--registry", "http://127.0.0.1:9/", "--collect-every", "off", ...(database ? ["--database-url", database] : [])];
  const adminToken = `ldr_admin_${randomBytes(24).toString("hex")}`;
  const env = { LARDER_ADMIN_TOKEN: adminToken, LARDER_SECRET_KEY: randomBytes(32).toString("hex") };
  const address = `http://127.0.0.1:${balancer.port}`;
  let started = 0;
  const owned = stack.move();
  return {
    address,
    async start(failpoint) {
      started += 1;
      const dataDir = directory.join(kind === "postgres" ? `replica-${started}` : "control-plane");
      const server = owned.use(
        await startServer("serve", {
          dataDir,
          args,
          timeoutMs: startMs,
          env: { ...env, ...(failpoint && { LARDER_FAILPOINT: failpoint }) },
        }),
      );
      balancer.set("replica", server.url);
      await until("it takes requests", () => balancer.ready().length > 0);
      return server;
    },
    async api<T>(method: string, path: string, body?: unknown) {
      const headers = { authorization: `Bearer ${adminToken}`, "content-type": "application/json" };
      const answer = await fetch(`${address}/api${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    dataDirOf: (host) => directory.join(`host-${host}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const agentOf = (stage: Stage, host: string, options: { token: string; failpoint?: string | undefined }) =>
  startAgent({
    dataDir: stage.dataDirOf(host),
    server: stage.address,
    token: options.token,
    timeoutMs: startMs,
    args: ["--poll-interval", "300ms"],
    ...(options.failpoint && { env: { LARDER_FAILPOINT: options.failpoint } }),
  });
const enrol = (stage: Stage) =>
  stage.api<{ token: string; enrolment: Enrolment }>("POST", "/enrolments", { environment: "default", labels: { zone: "eu" } });
const stateOf = async (stage: Stage, host: string, name: string) =>
  JSON.parse(await readFile(`${stage.dataDirOf(host)}/state/${name}.json`, "utf8")) as Record<string, string>;

/** One host has joined with the token, under the identity that its store has; and nobody else can. */
async function expectJoinedOnce(stage: Stage, host: string, { token, enrolment }: { token: string; enrolment: Enrolment }) {
  const joined = async () => (await stage.api<HostPage>("GET", "/hosts")).items.filter((each) => each.enrolment === enrolment.id);
  const [one, ...more] = await until(
    `${host} has reported`,
    async () => {
      const hosts = await joined();
      return hosts[0]?.lastSeenAt !== undefined && hosts;
    },
    { timeoutMs: 60_000 },
  );
  expect(more).toEqual([]);
  expect(one).toMatchObject({
    id: (await stateOf(stage, host, "identity")).hostId as string,
    labels: { zone: "eu" },
    phase: "pending",
  });
  await using late = await agentOf(stage, `${host}-late`, { token });
  await until("a second host is refused", () => late.stderr().includes("E_UNAUTHENTICATED"), { timeoutMs: 60_000 });
  expect(await joined()).toHaveLength(1);
  const listed = await stage.api<Enrolment[]>("GET", "/enrolments");
  expect(listed.find(({ id }) => id === enrolment.id)).toMatchObject({ uses: 1, used: 1, state: "used" });
}

describe.each(["embedded", "postgres"] as const)("a one-use token (%s)", (kind) => {
  test.each(enrolSteps)("lets one host in when the control plane is killed at %s: the agent asks again", async (step) => {
    await using stage = await openStage(kind);
    const server = await stage.start(`${step}:kill`);
    const enrolled = await enrol(stage);
    await using _agent = await agentOf(stage, "host", enrolled);
    expect(await server.exited).toMatchObject({ signal: "SIGKILL" });
    const { publicKey } = await stateOf(stage, "host", "host-key");
    await stage.start();
    await expectJoinedOnce(stage, "host", enrolled);
    expect((await stateOf(stage, "host", "host-key")).publicKey as string).toBe(publicKey as string);
  });

  test("lets one host in when both are killed after the commit and before the answer", async () => {
    await using stage = await openStage(kind);
    const server = await stage.start("enrol:before-answer:kill");
    const enrolled = await enrol(stage);
    const agent = await agentOf(stage, "host", enrolled);
    await server.exited;
    await agent.kill9();
    await stage.start();
    const { items: before } = await stage.api<HostPage>("GET", "/hosts");
    expect(before).toHaveLength(1);
    await using _again = await agentOf(stage, "host", enrolled);
    await expectJoinedOnce(stage, "host", enrolled);
    expect((await stage.api<HostPage>("GET", "/hosts")).items[0]?.keyId).toBe(before[0]?.keyId as string);
  });
});

test("a one-use token lets one host in when the agent is killed at any step, and started again", async () => {
  await using stage = await openStage("embedded");
  await stage.start();
  for (const [index, step] of joinSteps.entries()) {
    const host = `host-${index}`;
    const enrolled = await enrol(stage);
    const killed = await agentOf(stage, host, { ...enrolled, failpoint: `${step}:kill` });
    expect([step, await killed.exited]).toMatchObject([step, { signal: "SIGKILL" }]);
    await using _agent = await agentOf(stage, host, enrolled);
    await expectJoinedOnce(stage, host, enrolled);
  }
});
