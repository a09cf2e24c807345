import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import { type EnvironmentName, type HostFilter, hostPhases, type Id } from "../contract/index.ts";
import { groupHosts, listHosts, pageOfHosts } from "./hosts.ts";
import type { Queryable } from "./queryable.ts";

interface Facts {
  id: string;
  phase?: string;
  generation?: number;
  accepted?: number;
  error?: string;
  silentSeconds?: number;
  clonedSeconds?: number;
  labels?: Record<string, string>;
  hostname?: string;
}

/** Of an environment that wants generation 3. */
async function putHosts(tx: Queryable, environment: EnvironmentName, hosts: Facts[]): Promise<void> {
  await tx.execute(sql`update environments set generation_counter = 3 where name = ${environment}`);
  const rows = hosts.map(({ labels = {}, hostname, error, ...facts }) => ({
    phase: "ready",
    generation: 3,
    accepted: 3,
    silentSeconds: 0,
    ...facts,
    labels,
    sessions: hostname === undefined ? [] : [{ hostname }],
    error: error === undefined ? null : { code: error, message: "x" },
  }));
  await tx.execute(sql`insert into hosts (id, environment, phase, generation, accepted, error, labels, sessions, created_at, last_seen_at, cloned_at)
    select id, ${environment}, phase, generation, accepted, error, labels, sessions, now(), now() - "silentSeconds" * interval '1 second',
      now() - "clonedSeconds" * interval '1 second'
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as put (id text, phase text, generation bigint, accepted bigint, error jsonb, labels jsonb, sessions jsonb,
      "silentSeconds" int, "clonedSeconds" int)`);
}

/** Every combination of what a state follows from. */
function everyCondition(prefix: string): Facts[] {
  const all: Facts[] = [];
  for (const phase of hostPhases)
    for (const generation of [2, 3])
      for (const accepted of [3, 4])
        for (const error of [undefined, "E_NO_SPACE", "E_ROLLBACK"])
          for (const silentSeconds of [0, 100, 200])
            for (const clonedSeconds of [undefined, 800, 1000]) {
              const told = { ...(error ? { error } : {}), ...(clonedSeconds === undefined ? {} : { clonedSeconds }) };
              all.push({ id: `${prefix}-${all.length}`, phase, generation, accepted, silentSeconds, ...told });
            }
  return all;
}

onBothDatabases("choosing among hosts", ({ db, environment }) => {
  const idsOf = async (filter: HostFilter) =>
    (await pageOfHosts(db().query, { ...filter, limit: 1000 })).items.map(({ id }) => id as string);

  test("the database chooses and counts by the same states that a host's row is judged to have", async () => {
    const name = await environment();
    await putHosts(db().query, name, everyCondition(name));
    const hosts = await listHosts(db().query, name);
    const { total, groups } = await groupHosts(db().query, { environment: name });
    expect(total).toBe(hosts.length);
    const keyOf = (group: { state: string; phase: string; generation: number }) =>
      `${group.state} ${group.phase} ${group.generation}`;
    const judged = new Map<string, number>();
    for (const host of hosts) judged.set(keyOf(host), (judged.get(keyOf(host)) ?? 0) + 1);
    expect(new Map(groups.map((group) => [keyOf(group), group.hosts]))).toEqual(judged);
    for (const state of ["cloned", "ahead", "silent", "failing", "behind", "current"] as const) {
      const expected = hosts.filter((host) => host.state === state).map(({ id }) => id as string);
      expect(expected.length).toBeGreaterThan(0);
      expect(await idsOf({ environment: name, state })).toEqual(expected);
    }
  });

  test("pages follow each other by id, each host once, whoever comes or goes meanwhile", async () => {
    const name = await environment();
    const put = (numbers: number[]) =>
      putHosts(
        db().query,
        name,
        numbers.map((n) => ({ id: `${name}-${String(n).padStart(2, "0")}` })),
      );
    await put([1, 3, 5, 7, 9]);
    const first = await pageOfHosts(db().query, { environment: name, limit: 2 });
    expect(first).toMatchObject({ items: [{ id: `${name}-01` }, { id: `${name}-03` }], next: `${name}-03` });
    await put([2, 6]);
    await db().query.execute(sql`update hosts set revoked_at = now() where id = ${`${name}-03`}`);
    const second = await pageOfHosts(db().query, { environment: name, limit: 3, after: first.next });
    expect(second.items.map(({ id }) => id.slice(-2))).toEqual(["05", "06", "07"]);
    const last = await pageOfHosts(db().query, { environment: name, limit: 3, after: second.next });
    expect(last.items.map(({ id }) => id.slice(-2))).toEqual(["09"]);
    expect(last.next).toBeUndefined();
    expect(await pageOfHosts(db().query, { environment: name, limit: 6 })).not.toHaveProperty("next");
  });

  test("all that is asked for must hold", async () => {
    const name = await environment();
    const id = (text: string): Id => `${name}-${text}` as Id;
    await putHosts(db().query, name, [
      { id: id("a"), labels: { zone: "eu", role: "web" }, hostname: "Rack-7" },
      { id: id("b"), labels: { zone: "us" }, generation: 2, phase: "syncing" },
      { id: id("c"), labels: { zone: "eu-1" }, generation: 1, phase: "error", error: "E_NO_SPACE" },
      { id: id("d"), generation: 2, silentSeconds: 200 },
      { id: id("e%"), generation: 3, silentSeconds: 200 },
    ]);
    const found = async (filter: HostFilter) =>
      (await idsOf({ environment: name, ...filter })).map((each) => each.slice(name.length + 1)).join("");
    expect(await found({ behind: true })).toBe("bcd");
    expect(await found({ behind: "false" })).toBe("ae%");
    expect(await found({ silent: "true" })).toBe("de%");
    expect(await found({ behind: true, silent: true })).toBe("d");
    expect(await found({ below: 2 })).toBe("c");
    expect(await found({ phase: ["syncing", "error"] })).toBe("bc");
    expect(await found({ state: ["behind", "failing"], phase: "error" })).toBe("c");
    expect(await found({ label: "zone=eu" })).toBe("a");
    expect(await found({ label: "zone" })).toBe("abc");
    expect(await found({ label: ["zone=eu", "role=web"] })).toBe("a");
    expect(await found({ label: ["zone=eu", "role=db"] })).toBe("");
    expect(await found({ search: "rack" })).toBe("a");
    expect(await found({ search: id("B") })).toBe("b");
    // Nothing in it is a pattern.
    expect([await found({ search: "%" }), await found({ search: "_" }), await found({ search: "" })]).toEqual([
      "e%",
      "",
      "abcde%",
    ]);
    expect((await groupHosts(db().query, { environment: name, behind: true })).total).toBe(3);
  });
});
