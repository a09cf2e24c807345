import { afterEach, beforeEach } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeServer, startFakeServer } from "./fake-server.ts";
import { type CommandRun, runCommand } from "./run-command.ts";
import type { createTestTerminal } from "./test-terminal.ts";

type Given = Parameters<typeof createTestTerminal>[0];

/** For each test of the calling file: a fake server and a data directory that says where it is. */
export function useDataDirectory() {
  const used = {} as { dataDir: string; server: FakeServer };
  beforeEach(async () => {
    used.dataDir = await mkdtemp(join(tmpdir(), "larder-cli-"));
    used.server = startFakeServer();
    await mkdir(join(used.dataDir, "control"));
    await writeFile(join(used.dataDir, "control", "admin-token"), "ldr_admin_local\n");
    await announceAt(used.server.url.href);
  });
  afterEach(async () => {
    await used.server[Symbol.asyncDispose]();
    await rm(used.dataDir, { recursive: true });
  });
  const announceAt = (url: string) =>
    writeFile(
      join(used.dataDir, "control", "server.json"),
      JSON.stringify({ url, pid: 4242, startedAt: "2026-01-31T12:00:00.000Z" }),
    );
  const larder = (line: string, terminal: Given = {}): Promise<CommandRun> =>
    runCommand([...line.split(" "), "--data-dir", used.dataDir], terminal);
  return {
    get dataDir() {
      return used.dataDir;
    },
    get server() {
      return used.server;
    },
    /** Writes another address into `server.json`. */
    announceAt,
    larder,
    async json(line: string) {
      const { exitCode, out, err } = await larder(`${line} --json`);
      return { exitCode, err, value: JSON.parse(out) as unknown };
    },
  };
}
