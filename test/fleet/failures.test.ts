import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import type { Operation } from "../../src/contract/index.ts";
import { whyNoNetworkNamespaces } from "../harness/free-network.ts";
import { testUnless } from "../harness/test-unless.ts";
import { until } from "../harness/until.ts";
import { type Fleet, isAsleep, openFleet, type Replica } from "./fleet.ts";
import {
  assertOneMore,
  failLeader,
  faults,
  installAt,
  installSteps,
  installUntilCommit,
  type Recovery,
  recovered,
  sleepBeforeCommit,
} from "./leader-fault.ts";

// Three replicas on a real PostgreSQL, five real agents. LARDER_FULL=1 adds every step of an install to each fault.

const full = process.env.LARDER_FULL === "1";
const noNetworks = whyNoNetworkNamespaces();
const quick: Record<(typeof faults)[number], readonly string[]> = {
  killed: ["install:after-put", "install:before-commit"],
  stopped: ["install:before-commit"],
  "cut off": ["install:published"],
};

let fleet: Fleet;
const recoveries: Recovery[] = [];
const replica = (name: string) => fleet.replicas.get(name) as Replica;

beforeAll(async () => {
  fleet = await openFleet({ replicas: 3, hosts: 5, ownNetworks: noNetworks === undefined });
}, 120_000);
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  const row = ({ what, committedMs, convergedMs, attempt }: Recovery) =>
    `${what.padEnd(44)} ${committedMs.toFixed(0).padStart(7)} ms ${convergedMs.toFixed(0).padStart(7)} ms  attempt ${attempt}`;
  console.log([`${"fault".padEnd(44)}  committed  last host`, ...recoveries.map(row)].join("\n"));
}, 60_000);

testUnless(noNetworks, "every host has a network of its own, from which it reaches the load balancer alone", () => {
  const namespaces = fleet.hosts.map(({ agent }) => networkOf(agent.pid));
  expect(new Set([...namespaces, networkOf(process.pid)]).size).toBe(fleet.hosts.length + 1);
});

test("installs raced from all three replicas are one operation each time, and every host follows", async () => {
  for (let round = 0; round < 3; round++) {
    const replicas = [...fleet.replicas.values()];
    const before = await fleet.generations(replica("r1"));
    await fleet.change(replicas[round] as Replica);
    const asked = await Promise.all([...replicas, ...replicas, ...replicas].map((each) => fleet.install(each)));
    expect(new Set(asked.map(({ operation }) => operation.id)).size).toBe(1);
    expect(asked.filter(({ joined }) => !joined).length).toBe(1);
    recoveries.push(await recovered(fleet, { at: replica("r2"), before, what: "none: raced from three replicas" }));
    for (const each of replicas) await assertOneMore(fleet, each, before);
  }
}, 60_000);

test("an operation that one replica runs is seen at all, and cancelled from another", async () => {
  await fleet.forget(replica("r3"));
  const leader = await fleet.start("r3", { failpoint: "install:resolved:stop" });
  const before = await fleet.generations(replica("r1"));
  await installAt(fleet, leader, () => isAsleep(leader));
  const seen = async (name: string) =>
    (await fleet.api<{ items: Operation[] }>(replica(name), "GET", "/operations?limit=1")).items[0];
  const running = await seen("r1");
  expect(running).toMatchObject({ kind: "install", state: "running" });
  expect(await seen("r2")).toEqual(running);
  await fleet.api(replica("r2"), "POST", `/operations/${running?.id}/cancel`);
  leader.signal("SIGCONT");
  for (const name of ["r1", "r2", "r3"]) {
    await until(`${name} sees the end`, async () => (await seen(name))?.state === "cancelled");
  }
  expect(await fleet.generations(replica("r1"))).toEqual(before);
  await fleet.forget(leader);
}, 60_000);

describe("a leader", () => {
  for (const fault of faults) {
    test.each(full ? installSteps : quick[fault])(
      `${fault} at %s: another ends the install, one generation, every host converges`,
      async (step) => {
        recoveries.push(await failLeader(fleet, { step, fault }));
      },
      120_000,
    );
  }
});

describe("the database", () => {
  /** Sessions of all replicas, or the one that holds the election. */
  const terminate = {
    "the session that holds the election": () =>
      fleet.sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = ${0x6c617265}`,
    "every session of every replica": () =>
      fleet.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'larder' and datname = current_database()`,
  };
  test.each(Object.entries(terminate))(
    "ends %s in the middle of an install: one generation",
    async (what, end) => {
      const leader = await fleet.start("victim", { failpoint: "install:published:stop" });
      const before = await fleet.generations(replica("r1"));
      await installAt(fleet, leader, () => isAsleep(leader));
      expect((await end()).length).toBeGreaterThan(0);
      leader.signal("SIGCONT");
      recoveries.push(await recovered(fleet, { at: replica("r1"), before, what: `ended ${what}` }));
      await fleet.forget(leader);
    },
    60_000,
  );

  test.each(["and goes on", "and is killed"])(
    "commits, but the answer never arrives, %s: one generation",
    async (then) => {
      const leader = await fleet.start("victim", { failpoint: sleepBeforeCommit });
      const before = await fleet.generations(replica("r1"));
      const dropped = Promise.withResolvers<void>();
      await installUntilCommit(fleet, leader, (connection) =>
        connection.dropAnswer(() => {
          if (then === "and is killed") void leader.kill9();
          dropped.resolve();
        }),
      );
      await dropped.promise;
      recoveries.push(await recovered(fleet, { at: replica("r1"), before, what: `COMMIT's answer dropped, ${then}` }));
      await fleet.forget(leader);
    },
    60_000,
  );

  test("never hears of the COMMIT: the install is tried again, one generation", async () => {
    const leader = await fleet.start("victim", { failpoint: sleepBeforeCommit });
    const before = await fleet.generations(replica("r1"));
    const lost = Promise.withResolvers<void>();
    await installUntilCommit(fleet, leader, () => {
      leader.gate.set("shut");
      lost.resolve();
    });
    await lost.promise;
    leader.gate.set("open");
    recoveries.push(await recovered(fleet, { at: replica("r1"), before, what: "COMMIT lost, and every connection" }));
    await fleet.forget(leader);
  }, 60_000);
});

const networkOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/net`);
