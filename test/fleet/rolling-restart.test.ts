import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Operation } from "../../src/contract/index.ts";
import { until } from "../harness/until.ts";
import { type Fleet, isAsleep, openFleet, type Replica } from "./fleet.ts";

const drain = ["--drain-delay", "700ms"];
let fleet: Fleet;
beforeAll(async () => {
  fleet = await openFleet({ replicas: 2, hosts: 2, ownNetworks: false, args: drain });
}, 120_000);
afterAll(() => fleet?.[Symbol.asyncDispose](), 60_000);

/** Asks over and over, each caller on a connection that it keeps for as long as it may. */
function startCallers(count: number) {
  const at = { url: `http://127.0.0.1:${fleet.balancer.port}` };
  const failures: string[] = [];
  let [stopping, answered] = [false, 0];
  const call = async (index: number) => {
    while (!stopping) {
      try {
        if (index % 2 === 0) await fleet.api(at, "GET", "/hosts");
        else await fleet.install(at);
        answered += 1;
      } catch (error) {
        failures.push(String(error));
      }
      await Bun.sleep(5);
    }
  };
  const running = Promise.all(Array.from({ length: count }, (_, index) => call(index)));
  return {
    async stop() {
      stopping = true;
      await running;
      return { failures, answered };
    },
  };
}

test("every replica is restarted, one after the other, and not one request fails", async () => {
  const callers = startCallers(6);
  await Bun.sleep(300);
  for (const name of ["r1", "r2"]) {
    const old = fleet.replicas.get(name) as Replica;
    const { code } = await old.stop();
    expect(code).toBe(0);
    await fleet.forget(old);
    await fleet.start(name, { args: drain });
    await until("both are ready", () => fleet.balancer.ready().length === 2);
  }
  await Bun.sleep(300);
  const { failures, answered } = await callers.stop();
  console.log(`two replicas restarted; ${answered} requests meanwhile, ${failures.length} failed`);
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(100);
}, 60_000);

test("an install under way when its replica is stopped is taken up by the other, and hosts get it", async () => {
  const stayed = fleet.replicas.get("r1") as Replica;
  const old = fleet.replicas.get("r2") as Replica;
  const before = await fleet.generations(stayed);
  await fleet.change(stayed);
  await fleet.forget(old);
  const leader = await fleet.start("r2", { args: drain, failpoint: "install:fetched:stop" });
  stayed.signal("SIGSTOP");
  await fleet.install(leader);
  await isAsleep(leader);
  stayed.signal("SIGCONT");
  const stopped = leader.stop();
  leader.signal("SIGCONT");
  await fleet.converged(stayed, (before[0]?.number ?? 0) + 1);
  await stopped;
  const { items } = await fleet.api<{ items: Operation[] }>(stayed, "GET", "/operations?limit=1");
  const [latest] = items;
  expect(latest).toMatchObject({ kind: "install", state: "succeeded" });
}, 60_000);

test("a replica of an older Larder does not start on a newer schema, and says so", async () => {
  await fleet.sql`insert into larder_schema (version) values (9999)`;
  await expect(fleet.start("old")).rejects.toThrow(/E_SCHEMA_NEWER/);
  await fleet.sql`delete from larder_schema where version = 9999`;
});
