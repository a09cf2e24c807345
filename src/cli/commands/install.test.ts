import { describe, expect, test } from "bun:test";
import { host, lockfileHash, operation, succeeded } from "../testing/fake-answers.ts";
import { runOn } from "../testing/run-command.ts";
import { createTestTerminal } from "../testing/test-terminal.ts";
import { useDataDirectory } from "../testing/use-data-directory.ts";

const given = useDataDirectory();
const { larder, json } = given;

describe("install", () => {
  const running = operation("op_1", {
    state: "running",
    progress: { phase: "fetch", done: 1, total: 3, subject: "dayjs@1.11.13" },
  });

  test("follows the operation, and tells generation, changes, bytes and times", async () => {
    given.server.state.steps = [operation("op_1"), running, succeeded("op_1")];
    given.server.state.diff.changes = [
      {
        name: "dayjs" as never,
        change: "added",
        from: [],
        to: ["1.11.13" as never],
        transitive: false,
        addedUnpackedBytes: 0,
        removedBytes: 0,
        addedBytes: 40_000,
      },
    ];
    const { exitCode, out, err } = await larder("install");
    expect(exitCode).toBe(0);
    expect(err).toContain("fetch 1/3 · dayjs@1.11.13");
    expect(out).toContain(`Generation 2 · ${lockfileHash.slice(0, 12)} · 3 packages, 120 kB`);
    expect(out).toContain("+ dayjs@1.11.13  40.0 kB");
    expect(out).toContain("resolve 120 ms, fetch 900 ms");
  });

  test("--json has the result on top", async () => {
    expect(await json("install")).toMatchObject({
      exitCode: 0,
      value: { generation: 2, lockfileHash, operationId: "op_1", joined: false },
    });
  });

  test("an install that fails ends with its own error", async () => {
    given.server.state.steps = [
      operation("op_1"),
      operation("op_1", { state: "failed", error: { code: "E_VERSION_NOT_FOUND", message: "dayjs@9.9.9 does not exist." } }),
    ];
    const { exitCode, err, out } = await larder("install");
    expect({ exitCode, out }).toEqual({ exitCode: 6, out: "" });
    expect(err).toContain("error E_VERSION_NOT_FOUND: dayjs@9.9.9 does not exist.");
  });

  test("an attempt whose server died is followed into the next", async () => {
    given.server.state.steps = [operation("op_1", { state: "interrupted" }), succeeded("op_2")];
    given.server.state.operations = [operation("op_2", { attempt: 2 }), operation("op_1", { state: "interrupted" })];
    expect(await json("install")).toMatchObject({ exitCode: 0, value: { operationId: "op_2" } });
  });

  test("--no-wait returns at once", async () => {
    given.server.state.steps = [operation("op_1")];
    expect(await json("install --no-wait")).toMatchObject({ exitCode: 0, value: { operation: { id: "op_1", state: "queued" } } });
  });

  test("--wait-hosts waits until hosts serve the generation", async () => {
    given.server.state.hosts = [host("a", { generation: 1 })];
    setTimeout(() => {
      given.server.state.hosts = [host("a")];
    }, 300);
    const { exitCode, out } = await larder("install --wait-hosts");
    expect(exitCode).toBe(0);
    expect(out).toContain("1 host serves generation 2");
  });

  test("--wait-hosts names the hosts that take too long", async () => {
    given.server.state.hosts = [host("a"), host("slow", { generation: 1 })];
    const { exitCode, err } = await larder("install --wait-hosts --timeout 200ms");
    expect(exitCode).toBe(1);
    expect(err).toMatch(/E_TIMEOUT.*slow/);
  });

  test("--wait-hosts does not wait for hosts that are silent, and says how many", async () => {
    const silent = ["b", "c"].map((id) => host(id, { generation: 1, state: "silent" }));
    given.server.state.hosts = [host("a"), ...silent, host("d", { state: "silent" })];
    const { exitCode, out } = await larder("install --wait-hosts");
    expect(exitCode).toBe(0);
    expect(out).toContain("2 hosts serve generation 2");
    expect(out).toContain("2 hosts are silent and follow when they are back.");
    given.server.state.hosts = silent.slice(1);
    expect((await larder("install --wait-hosts")).out).toContain("1 host is silent and follows when it is back.");
    expect((await json("install --wait-hosts")).value).toMatchObject({ hosts: { hosts: 0, silent: 1 } });
  });

  test("Ctrl-C while it waits for hosts says that the generation holds", async () => {
    given.server.state.hosts = [host("slow", { generation: 1 })];
    const terminal = createTestTerminal();
    setTimeout(terminal.interrupt, 300);
    expect(await runOn(terminal, ["install", "--wait-hosts", "--data-dir", given.dataDir])).toBe(130);
    expect(terminal.written.err).toContain("No longer waiting: generation 2 of default holds.");
  });

  test("Ctrl-C stops the watching, and says that the install goes on", async () => {
    given.server.state.steps = [running];
    const terminal = createTestTerminal();
    setTimeout(terminal.interrupt, 300);
    expect(await runOn(terminal, ["install", "--data-dir", given.dataDir])).toBe(130);
    expect(terminal.written.err).toContain("goes on at the server");
    expect(terminal.written.err).toContain("larder operations cancel op_1");
    expect(given.server.state.calls.some((call) => call.startsWith("operations.cancel"))).toBe(false);
  });

  test("on a terminal there is one line, redrawn and then gone", async () => {
    given.server.state.steps = [operation("op_1"), running, running, running, running, running, succeeded("op_1")];
    const { err } = await larder("install", { errIsTTY: true, width: 60 });
    expect(err).toContain("1/3");
    expect(err).not.toContain("\n");
    expect(err.endsWith("\r\u001b[2K")).toBe(true);
  });
});
