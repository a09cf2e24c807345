import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import { type HostReport, hostSchema, type Id, tokenSchema } from "../contract/index.ts";
import { listAudit, recordAudit } from "./audit-log.ts";
import { findHostByKey, getHostKeys, listChangedHosts, wasKeyRevokedSince } from "./host-keys.ts";
import { type ReportOutcome, reportHosts } from "./host-reports.ts";
import { getHost, getHosts, insertHost, listHostPlatforms, listHosts, revokeHost } from "./hosts.ts";
import { ensureMeta, ensureStoreId, getMeta, setMeta } from "./meta.ts";
import { activeSigningKey, ensureSigningKey, listSigningKeys } from "./signing-keys.ts";
import { createToken, findToken, listTokens, revokeToken, touchToken } from "./tokens.ts";

let ids = 0;
const nextId = (prefix: string) => `${prefix}-${++ids}`;
const report: HostReport = {
  phase: "ready",
  generation: 3,
  lockfileHash: "ab",
  platform: { os: "linux", cpu: "x64", libc: "glibc" },
  agentVersion: "0.1.0",
  runsInFlight: 2,
  freeBytes: 9e12,
  progress: { phase: "pull", done: 1 },
  error: { code: "E_NO_SPACE", message: "full", details: { free: 0 } },
};

onBothDatabases("hosts, tokens and keys", ({ db, environment }) => {
  const reportAll = (...reports: [id: string, said: HostReport][]): Promise<ReportOutcome[]> =>
    db().transaction((tx) =>
      reportHosts(
        tx,
        reports.map(([id, said]) => ({ id, report: said })),
      ),
    );
  const reportIn = async (id: string, said: HostReport) => {
    const [outcome] = await reportAll([id, said]);
    return { outcome, host: await getHost(db().query, id) };
  };

  test("a host is pending until it reports, and shows what it reported last", async () => {
    const host = { id: nextId("host"), environment: await environment() };
    const inserted = await insertHost(db().query, host);
    const fresh = { ...host, generation: 0, accepted: 0, phase: "pending", state: "current", wanted: 0, lag: 0, runsInFlight: 0 };
    expect(inserted).toEqual({ ...fresh, labels: {}, sessions: [], createdAt: expect.any(String) } as never);
    expect(await insertHost(db().query, host)).toBeUndefined();
    const reported = (await reportIn(host.id, report)).host;
    expect(reported).toMatchObject(report);
    expect(reported?.lastSeenAt).toMatch(/Z$/);
    expect(hostSchema.parse(reported)).toEqual(reported as never);
    const { progress: _, error: __, freeBytes: ___, ...quiet } = report;
    const later = (await reportIn(host.id, quiet)).host;
    expect(later).not.toHaveProperty("error");
    expect(later).not.toHaveProperty("progress");
    expect(await getHost(db().query, host.id)).toEqual(later!);
    expect(await listHosts(db().query, host.environment)).toEqual([later!]);
    expect((await listHosts(db().query)).map(({ id }) => id)).toContain(host.id);
  });

  test("a report of the same agent that comes again, or late, changes nothing", async () => {
    const host = { id: nextId("host"), environment: await environment() };
    await insertHost(db().query, host);
    const session = { id: "a".repeat(32), sequence: 2 };
    expect(await reportIn(host.id, { ...report, session })).toMatchObject({ outcome: { kind: "kept" } });
    for (const sequence of [2, 1]) {
      const late = await reportIn(host.id, { ...report, generation: 1, session: { ...session, sequence } });
      expect(late).toMatchObject({ outcome: { kind: "stale" }, host: { generation: 3 } });
    }
  });

  test("many reports are taken together, several of one host in their order, and each says what became of it", async () => {
    const name = await environment();
    const [one, two] = [nextId("host"), nextId("host")];
    for (const id of [one, two]) await insertHost(db().query, { id, environment: name });
    const said = (sequence: number, changes: Partial<HostReport> = {}): HostReport => ({
      ...report,
      session: { id: "b".repeat(32), sequence },
      ...changes,
    });
    const outcomes = await reportAll(
      [two, said(1)],
      ["nobody", report],
      [one, said(1, { generation: 1, accepted: 7 })],
      [one, said(3, { generation: 2 })],
      [one, said(2, { generation: 9 })],
      [one, said(4, { generation: 2, freeBytes: 5 })],
    );
    expect(outcomes.map((outcome) => (outcome.kind === "kept" ? outcome.isNews : outcome.kind))).toEqual([
      true,
      "unknown",
      true,
      true,
      "stale",
      false,
    ]);
    expect(await getHost(db().query, one)).toMatchObject({
      generation: 2,
      accepted: 7,
      freeBytes: 5,
      sessions: [{ sequence: 4 }],
    });
    expect((await getHosts(db().query, [two, one, "nobody"])).map(({ id }) => id).sort()).toEqual([one, two].sort());
  });

  test("the same again is no news, until the host was nearly taken for silent", async () => {
    const { id } = (await insertHost(db().query, { id: nextId("host"), environment: await environment() }))!;
    const isNews = async (changes: Partial<HostReport> = {}) => {
      const { outcome } = await reportIn(id, { ...report, ...changes });
      return outcome?.kind === "kept" && outcome.isNews;
    };
    expect([await isNews(), await isNews(), await isNews({ freeBytes: 1 })]).toEqual([true, false, false]);
    expect([await isNews({ runsInFlight: 3 }), await isNews(), await isNews({ error: undefined })]).toEqual([true, true, true]);
    expect(await isNews({ error: undefined })).toBe(false);
    await db().query.execute(sql`update hosts set last_seen_at = now() - interval '2 minutes' where id = ${id}`);
    expect(await isNews({ error: undefined })).toBe(true);
    expect(await isNews({ error: undefined })).toBe(false);
  });

  test("a host that lags says since when: since the first generation that it does not serve", async () => {
    const name = await environment();
    const { id } = (await insertHost(db().query, { id: nextId("host"), environment: name }))!;
    await reportIn(id, { ...report, error: undefined, generation: 1 });
    for (const [number, at] of [
      [1, "2026-01-01"],
      [2, "2026-01-02"],
      [3, "2026-01-03"],
    ] as const) {
      await db().query.execute(sql`insert into generations (environment, number, lockfile_hash, created_at, created_by, reason, packages, nodes, allowlist_revision)
        values (${name}, ${number}, 'x', ${at}::timestamptz, 'ann', 'install', '[]', 0, 0)`);
    }
    await db().query.execute(sql`update environments set generation_counter = 3 where name = ${name}`);
    expect(await getHost(db().query, id)).toMatchObject({
      wanted: 3,
      lag: 2,
      state: "behind",
      since: expect.stringMatching(/^2026-01-0[12]T/),
    });
  });

  test("a host has one key, and it goes with it", async () => {
    const publicKey = nextId("key");
    const host = { id: nextId("host"), environment: await environment(), publicKey };
    await insertHost(db().query, host);
    expect(await getHostKeys(db().query, ["nobody" as Id, host.id])).toEqual([undefined, host]);
    expect(await findHostByKey(db().query, publicKey)).toEqual(host);
    const again = insertHost(db().query, { ...host, id: nextId("host") });
    await expect(again).rejects.toThrow();
    await again.catch(() => {});
    expect(await db().transaction((tx) => revokeHost(tx, host.id))).toMatchObject({ id: host.id });
    expect(await db().transaction((tx) => revokeHost(tx, host.id))).toBeUndefined();
    expect(await getHostKeys(db().query, [host.id])).toEqual([undefined]);
    expect(await wasKeyRevokedSince(db().query, publicKey, "2026-01-01T00:00:00.000Z")).toBe(true);
    expect(await wasKeyRevokedSince(db().query, publicKey, "2126-01-01T00:00:00.000Z")).toBe(false);
    expect(await listChangedHosts(db().query, 60_000)).toContainEqual({ id: host.id, key: undefined });
    expect(await reportIn(host.id, report)).toEqual({ outcome: { kind: "unknown" }, host: undefined });
    expect(await listHosts(db().query, host.environment)).toEqual([]);
    expect(await insertHost(db().query, host)).toMatchObject({ id: host.id, generation: 0, phase: "pending" });
  });

  test("an environment's platforms are those that its hosts reported", async () => {
    const name = await environment();
    const [musl, arm] = [
      { os: "linux", cpu: "x64", libc: "musl" as const },
      { os: "darwin", cpu: "arm64" },
    ];
    for (const platform of [musl, arm, musl]) {
      const { id } = (await insertHost(db().query, { id: nextId("host"), environment: name }))!;
      await reportIn(id, { ...report, platform });
    }
    await insertHost(db().query, { id: nextId("host"), environment: name });
    expect(await listHostPlatforms(db().query, name)).toEqual([arm, musl]);
  });

  test("a token is found by its hash until it is revoked", async () => {
    const hash = nextId("hash");
    const token = await createToken(db().query, { id: nextId("t"), role: "admin", subject: "ann", hash });
    expect(tokenSchema.parse(token)).toEqual(token as never);
    expect(await findToken(db().query, hash)).toEqual(token);
    expect(await findToken(db().query, "other")).toBeUndefined();
    await touchToken(db().query, token.id);
    const used = (await findToken(db().query, hash))?.lastUsedAt;
    expect(used).toMatch(/Z$/);
    await touchToken(db().query, token.id);
    expect((await findToken(db().query, hash))?.lastUsedAt).toBe(used!);
    expect((await listTokens(db().query)).map(({ id }) => id)).toContain(token.id);
    expect(await revokeToken(db().query, token.id)).toMatchObject({ id: token.id });
    expect(await revokeToken(db().query, token.id)).toBeUndefined();
    expect(await findToken(db().query, hash)).toBeUndefined();
    expect((await listTokens(db().query)).map(({ id }) => id)).not.toContain(token.id);
  });

  test("replicas that start at once agree on store id and signing key", async () => {
    const storeIds = await Promise.all(Array.from({ length: 5 }, () => db().transaction(ensureStoreId)));
    expect(new Set(storeIds).size).toBe(1);
    const keys = await Promise.all(
      ["a", "b", "c"].map((keyId) =>
        db().transaction((tx) =>
          ensureSigningKey(tx, { keyId, publicKey: `public ${keyId}`, sealedPrivateKey: `sealed ${keyId}` }),
        ),
      ),
    );
    expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(1);
    expect(await activeSigningKey(db().query)).toEqual(keys[0]!);
    expect(await listSigningKeys(db().query)).toEqual([keys[0]!]);
  });

  test("a fact of the store stays what it was first", async () => {
    expect(await getMeta(db().query, "fact")).toBeUndefined();
    expect(await ensureMeta(db().query, "fact", "one")).toBe("one");
    expect(await ensureMeta(db().query, "fact", "two")).toBe("one");
    await setMeta(db().query, "fact", "three");
    expect(await getMeta(db().query, "fact")).toBe("three");
  });

  test("I14: an audit row stands and falls with its change", async () => {
    const entry = { actor: "ann", action: "package.add", target: nextId("default/lodash"), details: { version: "4.17.21" } };
    await db().transaction((tx) => recordAudit(tx, entry));
    const undone = db().transaction(async (tx) => {
      await recordAudit(tx, { ...entry, target: "undone" });
      throw new Error("undo");
    });
    await expect(undone).rejects.toThrow("undo");
    await undone.catch(() => {});
    const [latest] = await listAudit(db().query, { limit: 1 });
    expect(latest).toMatchObject(entry);
    expect(latest?.at).toMatch(/Z$/);
  });

  test("an error of the database shows no parameters", async () => {
    const hash = nextId("hash");
    const token = { id: nextId("t"), role: "admin" as const, subject: "canary-secret", hash };
    await createToken(db().query, token);
    const attempts = [() => createToken(db().query, token), () => db().transaction((tx) => createToken(tx, token))];
    for (const attempt of attempts) {
      const error = await attempt().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(Bun.inspect(error)).not.toContain("canary-secret");
    }
  });

  test("times are UTC whatever the session's zone", async () => {
    await db().transaction(async (tx) => {
      await tx.execute(sql`set local time zone 'Asia/Kolkata'`);
      const { id } = (await insertHost(tx, { id: nextId("host"), environment: "default" as never }))!;
      const { createdAt } = (await getHost(tx, id))!;
      expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(60_000);
    });
  });
});
