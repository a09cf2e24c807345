import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { type FixtureRegistry, openFixtureRegistry } from "../../../test/harness/fixture-registry.ts";
import { until } from "../../../test/harness/until.ts";
import { listAudit } from "../../db/index.ts";
import { type Route, routeTable } from "../http/route-table.ts";
import { auditedChanges, type ChangeStage, reportOf } from "../testing/audited-changes.ts";
import { dumpState } from "../testing/dump-database.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

const changing = routeTable.filter(({ method }) => method !== "GET");
const environments = ["changes", "noted", "rolled", "tried", "promoted"];

let registry: FixtureRegistry;
let server: TestServer;
let stage: ChangeStage;
beforeAll(async () => {
  registry = await openFixtureRegistry([
    { name: "plain", version: "1.0.0" },
    { name: "other", version: "2.0.0" },
  ]);
  const forever = new Promise<never>(() => {});
  const install = ({ signal }: { signal: AbortSignal }) =>
    Promise.race([forever, new Promise<never>((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)))]);
  server = await openTestServer({ registry: new URL(registry.url), handlers: { install } });
  const { admin } = server;
  for (const name of environments) await admin.environments.create({ name });
  const { operation } = await admin.installs.start({ environment: "default" });
  await until("it runs", async () => (await admin.operations.get({ id: operation.id })).state === "running");
  const hostKey = await server.join("worker", "changes");
  const host = server.client(hostKey);
  await reportOf(host);
  stage = { server, admin, host, hostKey };
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
});

const rows = () => listAudit(server.context.db.query, { limit: 1000 });
const execute = (statement: string) => server.context.db.query.execute(sql.raw(statement));

test("every route that changes something is in the table, and nothing else is", () => {
  expect(Object.keys(auditedChanges).sort()).toEqual(changing.map(({ name }) => name).sort());
});

describe.each(Object.entries(auditedChanges))("I14: %s", (_name, { given, call, leaves }) => {
  beforeEach(async () => {
    await clearQueue();
  });

  if ("nothing" in leaves) {
    test(`leaves no row: ${leaves.nothing}`, async () => {
      const before = await rows();
      await call(stage);
      expect(await rows()).toEqual(before);
    });
    return;
  }

  test("leaves one row, and nothing at all when that row cannot be written", async () => {
    await given?.(stage);
    const before = await dumpState(server.context);
    await execute("create function refuse_row() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$");
    await execute(
      "create constraint trigger refuse_row after insert on audit_log deferrable initially deferred for each row execute function refuse_row()",
    );
    try {
      await expect(Promise.resolve(call(stage))).rejects.toBeInstanceOf(Error);
    } finally {
      await execute("drop trigger refuse_row on audit_log");
      await execute("drop function refuse_row");
    }
    expect(await dumpState(server.context)).toEqual(before);

    const rowsBefore = (await rows()).length;
    await call(stage);
    const written = (await rows()).slice(0, (await rows()).length - rowsBefore);
    const target = typeof leaves.target === "string" ? leaves.target : expect.stringMatching(leaves.target);
    const actor = leaves.actor ? expect.stringMatching(leaves.actor) : "admin";
    expect(written).toMatchObject([{ actor, action: leaves.action, target }]);
  });
});

/** So that each change starts its own operation instead of joining another's. */
async function clearQueue() {
  for (const { id, state } of (await server.admin.operations.list({ limit: 200 })).items)
    if (state === "queued") await server.admin.operations.cancel({ id });
}

/** An address of the route that names nothing there is. */
const nowhere = ({ path }: Route): string =>
  path
    .replace("{environment}", "nowhere")
    .replace(/\{(?:from|to|number)\}/g, "99")
    .replace(/\{\w+\}/g, "nothing");

/** They take nothing that could be wrong. */
const neverRefused = new Set(["secrets.rotate", "signingKeys.announce"]);
const refusable = changing.filter(({ name }) => !neverRefused.has(name));

test.each(refusable.map((route) => [route.name, route] as const))(
  "a refused %s changes nothing and leaves no row",
  async (_name, route) => {
    await clearQueue();
    const before = await dumpState(server.context);
    const response = await server.fetch(nowhere(route), {
      method: route.method,
      token: server.adminToken,
      // Known to no schema as a whole: what takes it takes it as nothing.
      body: JSON.stringify({
        nothing: true,
        role: "host",
        target: "tape",
        graceMs: -1,
        parallel: -1,
        to: "nowhere",
        now: "never",
        token: "x".repeat(40),
      }),
      headers: { "content-type": "application/json" },
    });
    const { status } = response;
    const answer = await response.text();
    const refused = status >= 400 && status < 500;
    if (route.name === "session.end") expect(answer).toBe('{"ended":false}');
    else expect({ refused, answer }).toMatchObject({ refused: true });
    expect(await dumpState(server.context)).toEqual(before);
  },
);

test("what changes nothing leaves no row: joined, repeated, the same again", async () => {
  const { admin } = server;
  await clearQueue();
  await auditedChanges["generations.annotate"]?.given?.(stage);
  const environment = "changes";
  const { operation } = await admin.installs.start({ environment });
  await admin.packages.add({ environment, packages: [{ name: "plain", version: "1.0.0" }] });
  await admin.packages.setEnabled({ environment, name: "plain", enabled: true });
  await admin.generations.annotate({ environment: "noted", number: 1, note: "same" });
  const before = await rows();
  expect(await admin.installs.start({ environment })).toMatchObject({ joined: true });
  await admin.packages.add({ environment, packages: [{ name: "plain", version: "1.0.0" }] });
  await admin.packages.setEnabled({ environment, name: "plain", enabled: true });
  await admin.generations.annotate({ environment: "noted", number: 1, note: " same " });
  expect(await rows()).toEqual(before);
  await admin.operations.cancel({ id: operation.id });
  await admin.operations.cancel({ id: operation.id });
  expect((await rows()).length).toBe(before.length + 1);
  const [running] = (await admin.operations.list({ limit: 200 })).items.filter(({ state }) => state === "running");
  if (running === undefined) throw new Error("nothing runs");
});

test("no GET changes anything", async () => {
  const gets = routeTable.filter(({ method, name }) => method === "GET" && name !== "events");
  const before = await dumpState(server.context);
  for (const { path } of gets) {
    const address = path
      .replace("{environment}", "tried")
      .replace("{id}", "worker")
      .replace(/\{\w+\}/g, "1");
    for (const method of ["GET", "HEAD"]) await (await server.fetch(address, { method, token: server.adminToken })).text();
  }
  expect(await dumpState(server.context)).toEqual(before);
});

describe("reading it", () => {
  const list = (query: Parameters<typeof server.admin.audit.list>[0]) => server.admin.audit.list(query);

  test("by actor, action, target and time", async () => {
    const { text } = await server.admin.tokens.create({ role: "operator", subject: "Olga" });
    const since = new Date().toISOString();
    await server.client(text).packages.add({ environment: "tried", packages: [{ name: "plain", version: "1.0.0" }] });
    expect((await list({ actor: "Olga" })).items).toMatchObject([{ action: "package.add", target: "tried" }]);
    expect((await list({ action: "package", since })).items).toHaveLength(1);
    expect((await list({ action: "pack", since })).items).toEqual([]);
    expect((await list({ action: "package.add", target: "tried", since })).items).toHaveLength(1);
    expect((await list({ target: "noted" })).items.map(({ target }) => target)).toContain("noted/1");
    expect((await list({ target: "note%" })).items).toEqual([]);
    expect((await list({ actor: "Olga", until: since })).items).toEqual([]);
  });

  test("page by page, each row once, newest first", async () => {
    const all = (await list({ limit: 1000 })).items.map(({ id }) => id);
    const paged: number[] = [];
    let after: number | undefined;
    do {
      const { items, next } = await list({ limit: 7, ...(after ? { after } : {}) });
      paged.push(...items.map(({ id }) => id));
      after = next;
    } while (after !== undefined);
    expect(paged).toEqual(all);
    expect(all).toEqual(all.toSorted((a, b) => b - a));
  });

  test("admins, operators and viewers may; authors and hosts may not", async () => {
    for (const [role, allowed] of [
      ["operator", true],
      ["viewer", true],
      ["author", false],
    ] as const) {
      const client = server.client((await server.admin.tokens.create({ role, subject: role })).text);
      if (allowed) expect((await client.audit.list({ limit: 1 })).items).toHaveLength(1);
      else expect(await refusalOf(client.audit.list({}))).toMatchObject({ code: "E_FORBIDDEN" });
    }
    expect(await refusalOf(stage.host.audit.list({}))).toMatchObject({ code: "E_FORBIDDEN" });
  });
});
