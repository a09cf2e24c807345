import { describe, expect, test } from "bun:test";
import { host, lockfileHash, operation, packageEntry } from "../testing/fake-answers.ts";
import { useDataDirectory } from "../testing/use-data-directory.ts";

const given = useDataDirectory();
const { larder, json } = given;

describe("looking at things", () => {
  test("status has what an operator asks first, within 80 columns", async () => {
    given.server.state.hosts = [
      host("local"),
      host("worker-with-a-very-long-name-indeed-in-some-rack", {
        phase: "error",
        error: { code: "E_NO_SPACE", message: "x ".repeat(80) },
      }),
    ];
    given.server.state.packages = [packageEntry("dayjs")];
    given.server.state.installDue = true;
    given.server.state.operations = [operation("op_9", { state: "running", progress: { phase: "fetch", done: 3, total: 9 } })];
    const { out } = await larder("status", { outIsTTY: true, environment: { NO_COLOR: "1" } });
    for (const part of [
      "default",
      `2 · ${lockfileHash.slice(0, 12)}`,
      "install due",
      "op_9",
      "fetch 3/9",
      "fs · 3 blobs",
      "E_NO_SPACE",
      given.server.url.origin,
    ]) {
      expect(out).toContain(part);
    }
    expect(Math.max(...out.split("\n").map((text) => Bun.stringWidth(text)))).toBeLessThanOrEqual(80);
    expect((await json("status")).value).toMatchObject({
      generation: 2,
      lockfileHash,
      hosts: [{ id: "local", generation: 2, phase: "ready" }, {}],
    });
  });

  test.each([
    "list",
    "generations",
    "diff 1 2",
    "status",
    "hosts list",
    "hosts enrolments",
    "tokens list",
    "keys list",
    "keys announce",
    "operations list",
    "environments list",
    "environments show default",
    "audit",
    "audit --since 7d --actor alice --action package --target default",
    "note 1 known good",
    "storage status",
  ])("%s has a page for people and one JSON value for machines", async (line) => {
    const { exitCode, out } = await larder(line);
    expect(exitCode).toBe(0);
    expect(out.trim()).not.toBe("");
    expect((await json(line)).exitCode).toBe(0);
  });

  test("reconcile wakes the named host and waits for its report", async () => {
    given.server.state.hosts = [host("worker-1", { generation: 1 })];
    expect((await larder("reconcile --host worker-1")).out).toContain("worker-1 serves generation 2");
  });

  test("an operation is cancelled by the beginning of its id", async () => {
    given.server.state.operations = [operation("op-1f2e3d4c-9049-4eb5-a3e7-351b71004c65", { state: "running" })];
    expect((await larder("operations cancel op-1f2e3d4c")).out).toContain("op-1f2e3d4c was cancelled");
    expect(given.server.state.calls.at(-1)).toContain("op-1f2e3d4c-9049");
  });

  test("secrets that are shown once are alone on standard output", async () => {
    expect((await larder("tokens create ci --role author")).out).toBe("ldr_author_secretsecretsecret\n");
    expect((await larder("hosts enrol worker-9")).out).toBe("ldr_enrol_secret.0123456789abcdef0123456789abcdef.01234567\n");
  });
});

describe("a fleet of many pages", () => {
  const fleet = Array.from({ length: 2345 }, (_, n) => {
    const id = `edge-${String(n).padStart(4, "0")}`;
    return n % 1000 === 7 ? host(id, { generation: 1, lag: 1, state: "behind", reason: "It is late." }) : host(id);
  });

  test("is listed as a whole, or as much of it as was asked for", async () => {
    given.server.state.hosts = fleet;
    const listed = async (line: string) => ((await json(line)).value as { id: string }[]).map(({ id }) => id);
    expect(await listed("hosts list")).toEqual(fleet.map(({ id }) => id));
    expect(await listed("hosts list --limit 1001")).toHaveLength(1001);
    expect(await listed("hosts list --behind --search edge-1")).toEqual(["edge-1007"]);
    expect((await larder("hosts list --search nobody")).out).toBe("No host matches.\n");
  });

  test("is in the status in numbers, with those that are not up to date; for machines as a whole", async () => {
    given.server.state.hosts = fleet;
    const { out } = await larder("status");
    expect(out).toContain("2342 of 2345 up to date · 3 behind");
    for (const id of ["edge-0007", "edge-1007", "edge-2007"]) expect(out).toContain(id);
    expect(out).not.toContain("edge-0008");
    expect(out).toContain("larder hosts list");
    expect(((await json("status")).value as { hosts: object[] }).hosts).toHaveLength(2345);
  });
});
