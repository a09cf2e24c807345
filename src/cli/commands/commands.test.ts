import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LarderError } from "../../contract/index.ts";
import { commands } from "../commands.ts";
import {
  type FakeServer,
  host,
  lockfileHash,
  operation,
  packageEntry,
  startFakeServer,
  succeeded,
} from "../testing/fake-server.ts";
import { runCommand, runOn } from "../testing/run-command.ts";
import { createTestTerminal } from "../testing/test-terminal.ts";
import { parsePackageRequests } from "./add.ts";

let dataDir: string;
let server: FakeServer;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "larder-cli-"));
  server = startFakeServer();
  await mkdir(join(dataDir, "control"));
  await writeFile(join(dataDir, "control", "admin-token"), "ldr_admin_local\n");
  await announceAt(server.url.href);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

const announceAt = (url: string) =>
  writeFile(join(dataDir, "control", "server.json"), JSON.stringify({ url, pid: 4242, startedAt: "2026-01-31T12:00:00.000Z" }));
const larder = (line: string, terminal: Parameters<typeof runCommand>[1] = {}) =>
  runCommand([...line.split(" "), "--data-dir", dataDir], terminal);
const json = async (line: string) => {
  const { exitCode, out, err } = await larder(`${line} --json`);
  return { exitCode, err, value: JSON.parse(out) as unknown };
};

describe("help", () => {
  test("larder and each of its commands explain themselves with an example", async () => {
    const names = commands.map(({ name }) => name);
    for (const name of [
      "",
      ...names,
      ...new Set(names.filter((name) => name.includes(" ")).map((name) => name.split(" ")[0]!)),
    ]) {
      const { exitCode, out } = await runCommand([...name.split(" ").filter(Boolean), "--help"]);
      expect({ name, exitCode }).toEqual({ name, exitCode: 0 });
      expect(out).toContain(`$ larder ${name}`);
      expect(Math.max(...out.split("\n").map((text) => text.length))).toBeLessThanOrEqual(110);
    }
  });

  test("larder alone prints its help", async () => {
    const { exitCode, out } = await runCommand([]);
    expect(exitCode).toBe(0);
    expect(out).toContain("Usage: larder");
  });
});

describe("a command line that is wrong", () => {
  test.each([
    ["lst", "Unknown command 'lst' (did you mean list?)"],
    ["list --jsonn", "Unknown option '--jsonn' (did you mean --json?)"],
    ["diff 1", "Missing required argument 'b'"],
    ["diff 1 x", 'B is "x"'],
    ["hosts", "needs a command: list, enrol, revoke"],
    ["hosts nope", "has no command 'nope'"],
    ["list extra", "Too many arguments"],
    ["tokens create x --role king", "admin, author"],
    ["run x --env 1=2", "--env"],
    ["run x --context {", "--context is not JSON"],
    ["add a a@1.0.0", "a is named twice"],
    ["install --no-wait --wait-hosts", "contradict"],
  ])("%s", async (line, says) => {
    const { exitCode, err, out } = await larder(line);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toContain("error E_INPUT: ");
    expect(err).toContain(says);
  });

  test("with --json the error is the one value on standard output, too", async () => {
    expect(await json("lst")).toMatchObject({ exitCode: 2, value: { error: { code: "E_INPUT", hint: expect.any(String) } } });
  });
});

describe("which server", () => {
  test("the data directory gives address and admin token", async () => {
    expect((await larder("list")).exitCode).toBe(0);
    expect(server.state.tokensSeen).toEqual(["Bearer ldr_admin_local"]);
  });

  test("the local admin token is not shown to another server", async () => {
    await announceAt("http://127.0.0.1:1/");
    await larder(`list --server ${server.url.origin}`);
    expect(server.state.tokensSeen).toEqual([undefined]);
  });

  test("a token that was given beats the local one", async () => {
    await larder("list --token ldr_author_mine");
    expect(server.state.tokensSeen).toEqual(["Bearer ldr_author_mine"]);
  });

  test("a token that the server refuses is answered with where a command looks for one", async () => {
    server.state.failWith = new LarderError("E_UNAUTHENTICATED", "No.", { hint: "Send a header." });
    const { exitCode, err } = await larder("list");
    expect(exitCode).toBe(3);
    expect(err).toContain("LARDER_TOKEN");
  });

  test("no server at all names the ways to one", async () => {
    const { exitCode, err } = await runCommand(["list", "--data-dir", join(dataDir, "none")]);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/E_SERVER_UNREACHABLE[\s\S]*larder up[\s\S]*--server/);
  });

  test("a server that is gone without saying so is called that", async () => {
    await server[Symbol.asyncDispose]();
    const { exitCode, err } = await larder("list");
    expect(exitCode).toBe(1);
    expect(err).toMatch(/E_SERVER_UNREACHABLE: Nobody answers at .*process 4242[\s\S]*larder up/);
  });

  test("a server.json that was cut short is named", async () => {
    await writeFile(join(dataDir, "control", "server.json"), '{"url": "http:');
    expect((await larder("list")).err).toContain(join("control", "server.json"));
  });

  test("something else at the address is not taken for Larder", async () => {
    await using other = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("<h1>hello</h1>", { headers: { "content-type": "text/html" } }),
    });
    const { exitCode, err } = await larder(`list --server ${other.url.origin}`);
    expect(exitCode).toBe(1);
    expect(err).toContain("E_SERVER_UNREACHABLE");
  });

  test("a redirect is not followed", async () => {
    await using other = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.redirect(`${server.url.origin}/api/environments/default/packages`),
    });
    const { exitCode } = await larder(`list --server ${other.url.origin} --token ldr_author_mine`);
    expect(exitCode).toBe(1);
    expect(server.state.tokensSeen).toEqual([]);
  });

  test("the server's own error keeps its code, hint and exit code", async () => {
    server.state.failWith = new LarderError("E_FORBIDDEN", "Not yours.", { hint: "Ask an admin." });
    expect(await json("list")).toMatchObject({
      exitCode: 3,
      value: { error: { code: "E_FORBIDDEN", message: "Not yours.", hint: "Ask an admin." } },
      err: expect.stringContaining("error E_FORBIDDEN: Not yours.\nhint: Ask an admin."),
    });
  });
});

describe("the allowlist", () => {
  test("an empty one says what to do next", async () => {
    expect((await larder("list")).out).toContain("larder add");
  });

  test("add says what was pinned, and that an install is due", async () => {
    const { out, exitCode } = await larder("add dayjs @corp/utils@1.2.3");
    expect(exitCode).toBe(0);
    expect(out).toContain("+ dayjs@9.9.9");
    expect(out).toContain("+ @corp/utils@1.2.3");
    expect(out).toContain("larder install");
  });

  test("add --install installs at once", async () => {
    const { value } = await json("add dayjs --install");
    expect(value).toMatchObject({ packages: [{ name: "dayjs" }], install: { generation: 2, changed: true } });
  });

  test("specs are parsed strictly", () => {
    expect(
      parsePackageRequests(["a", "b@1.0.0", "@s/c@1.0.0-rc.1+x"]).map(({ name, version }) => [name, version] as unknown),
    ).toEqual([
      ["a", undefined],
      ["b", "1.0.0"],
      ["@s/c", "1.0.0-rc.1+x"],
    ]);
    for (const bad of ["a@^1.0.0", "a@", "a@1", "a@latest", "a@npm:b@1.0.0"])
      expect(() => parsePackageRequests([bad])).toThrow(/version/);
    for (const bad of ["", "@", "../a", "@s", "a b", "a/b", "https://x.example/a.tgz"])
      expect(() => parsePackageRequests([bad])).toThrow(/name/);
  });

  test("scoped names reach the server whole", async () => {
    server.state.packages = [packageEntry("@corp/utils")];
    expect((await larder("disable @corp/utils")).out).toContain("@corp/utils@1.0.0 is disabled");
  });
});

describe("before something is destroyed", () => {
  beforeEach(() => {
    server.state.packages = [packageEntry("dayjs")];
    server.state.hosts = [host("worker-1")];
  });
  const lines = ["remove dayjs", "rollback 1", "hosts revoke worker-1", "tokens revoke tok_1"];
  const changes = () => server.state.calls.filter((call) => /remove|rollback|revoke/.test(call));

  test.each(lines)("%s is refused without a terminal and without --yes", async (line) => {
    const { exitCode, err } = await larder(line);
    expect(exitCode).toBe(2);
    expect(err).toContain("--yes");
    expect(changes()).toEqual([]);
  });

  test.each(lines)("%s goes ahead with --yes, or when the person agrees", async (line) => {
    expect((await larder(`${line} --yes`)).exitCode).toBe(0);
    server.state.packages = [packageEntry("dayjs")];
    const asked = await larder(line, { inIsTTY: true, errIsTTY: true, answers: ["y"] });
    expect(asked).toMatchObject({ exitCode: 0, err: expect.stringContaining("[y/N]") });
    expect(changes()).toHaveLength(2);
  });

  test.each(lines)("%s leaves all as it is when the person does not agree", async (line) => {
    const { exitCode, err } = await larder(line, { inIsTTY: true, errIsTTY: true, answers: ["no"] });
    expect(exitCode).toBe(1);
    expect(err).toContain("Nothing was changed");
    expect(changes()).toEqual([]);
  });
});

describe("install", () => {
  const running = operation("op_1", {
    state: "running",
    progress: { phase: "fetch", done: 1, total: 3, subject: "dayjs@1.11.13" },
  });

  test("follows the operation, and tells generation, changes, bytes and times", async () => {
    server.state.steps = [operation("op_1"), running, succeeded("op_1")];
    server.state.diff.changes = [
      { name: "dayjs" as never, change: "added", from: [], to: ["1.11.13" as never], transitive: false, addedBytes: 40_000 },
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
    server.state.steps = [
      operation("op_1"),
      operation("op_1", { state: "failed", error: { code: "E_VERSION_NOT_FOUND", message: "dayjs@9.9.9 does not exist." } }),
    ];
    const { exitCode, err, out } = await larder("install");
    expect({ exitCode, out }).toEqual({ exitCode: 6, out: "" });
    expect(err).toContain("error E_VERSION_NOT_FOUND: dayjs@9.9.9 does not exist.");
  });

  test("an attempt whose server died is followed into the next", async () => {
    server.state.steps = [operation("op_1", { state: "interrupted" }), succeeded("op_2")];
    server.state.operations = [operation("op_2", { attempt: 2 }), operation("op_1", { state: "interrupted" })];
    expect(await json("install")).toMatchObject({ exitCode: 0, value: { operationId: "op_2" } });
  });

  test("--no-wait returns at once", async () => {
    server.state.steps = [operation("op_1")];
    expect(await json("install --no-wait")).toMatchObject({ exitCode: 0, value: { operation: { id: "op_1", state: "queued" } } });
  });

  test("--wait-hosts waits until hosts serve the generation", async () => {
    server.state.hosts = [host("a", { generation: 1 })];
    setTimeout(() => {
      server.state.hosts = [host("a")];
    }, 300);
    const { exitCode, out } = await larder("install --wait-hosts");
    expect(exitCode).toBe(0);
    expect(out).toContain("1 host serves generation 2");
  });

  test("--wait-hosts names the hosts that take too long", async () => {
    server.state.hosts = [host("a"), host("slow", { generation: 1 })];
    const { exitCode, err } = await larder("install --wait-hosts --timeout 200ms");
    expect(exitCode).toBe(1);
    expect(err).toMatch(/E_TIMEOUT.*slow/);
  });

  test("Ctrl-C stops the watching, and says that the install goes on", async () => {
    server.state.steps = [running];
    const terminal = createTestTerminal();
    setTimeout(terminal.interrupt, 300);
    expect(await runOn(terminal, ["install", "--data-dir", dataDir])).toBe(130);
    expect(terminal.written.err).toContain("goes on at the server");
    expect(terminal.written.err).toContain("larder operations cancel op_1");
    expect(server.state.calls.some((call) => call.startsWith("operations.cancel"))).toBe(false);
  });

  test("on a terminal there is one line, redrawn and then gone", async () => {
    server.state.steps = [operation("op_1"), running, running, running, running, running, succeeded("op_1")];
    const { err } = await larder("install", { errIsTTY: true, width: 60 });
    expect(err).toContain("1/3");
    expect(err).not.toContain("\n");
    expect(err.endsWith("\r\u001b[2K")).toBe(true);
  });
});

describe("looking at things", () => {
  test("status has what an operator asks first, within 80 columns", async () => {
    server.state.hosts = [
      host("local"),
      host("worker-with-a-very-long-name-indeed-in-some-rack", {
        phase: "error",
        error: { code: "E_NO_SPACE", message: "x ".repeat(80) },
      }),
    ];
    server.state.packages = [packageEntry("dayjs")];
    server.state.installDue = true;
    server.state.operations = [operation("op_9", { state: "running", progress: { phase: "fetch", done: 3, total: 9 } })];
    const { out } = await larder("status", { outIsTTY: true, environment: { NO_COLOR: "1" } });
    for (const part of [
      "default",
      `2 · ${lockfileHash.slice(0, 12)}`,
      "install due",
      "op_9",
      "fetch 3/9",
      "fs · 3 blobs",
      "E_NO_SPACE",
      server.url.origin,
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
    "tokens list",
    "operations list",
    "environments list",
    "storage status",
  ])("%s has a page for people and one JSON value for machines", async (line) => {
    const { exitCode, out } = await larder(line);
    expect(exitCode).toBe(0);
    expect(out.trim()).not.toBe("");
    expect((await json(line)).exitCode).toBe(0);
  });

  test("reconcile wakes the named host and waits for its report", async () => {
    server.state.hosts = [host("worker-1", { generation: 1 })];
    expect((await larder("reconcile --host worker-1")).out).toContain("worker-1 serves generation 2");
  });

  test("an operation is cancelled by the beginning of its id", async () => {
    server.state.operations = [operation("op-1f2e3d4c-9049-4eb5-a3e7-351b71004c65", { state: "running" })];
    expect((await larder("operations cancel op-1f2e3d4c")).out).toContain("op-1f2e3d4c was cancelled");
    expect(server.state.calls.at(-1)).toContain("op-1f2e3d4c-9049");
  });

  test("secrets that are shown once are alone on standard output", async () => {
    expect((await larder("tokens create ci --role author")).out).toBe("ldr_author_secretsecretsecret\n");
    expect((await larder("hosts enrol worker-9")).out).toBe("ldr_host_secret.0123456789abcdef0123456789abcdef\n");
  });
});

test("a data directory that does not exist is not made by looking at it", async () => {
  for (const line of ["verify", "run -"]) {
    const { exitCode, err } = await runCommand([...line.split(" "), "--data-dir", join(dataDir, "typo")]);
    expect(exitCode).toBe(4);
    expect(err).toContain("typo");
    expect(await Bun.file(join(dataDir, "typo")).exists()).toBe(false);
  }
});
