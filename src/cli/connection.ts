import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { LarderError } from "../contract/bare.ts";
import { errnoOf, undefinedOn } from "../lib/bare.ts";
import type { CommandContext } from "./command.ts";
import type { LarderClient, ServerAddress } from "./larder-client.ts";
import { formatAgo } from "./render/quantity.ts";
import type { Settings } from "./settings-schema.ts";

export interface Connection {
  url: URL;
  client: LarderClient;
  /** A raw route's answer, by its path. */
  raw(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** The server that a command talks to: `--server` or, when absent, the one that runs on the data directory. */
export async function connect({ settings, terminal }: Pick<CommandContext, "settings" | "terminal">): Promise<Connection> {
  const address = await findServer(settings);
  if (!address) {
    throw new LarderError("E_SERVER_UNREACHABLE", `No server runs on ${settings.dataDir}, and no other was named.`, {
      hint: "Start one with `larder up`, or name one with --server URL and --token TOKEN.",
    });
  }
  // Reconciling and joining look for the server without ever needing its whole API.
  const { createLarderClient, fetchRaw } = await import("./larder-client.ts");
  return {
    url: address.url,
    client: createLarderClient(address, terminal.signal),
    raw: (path) => fetchRaw(address, path, terminal.signal),
  };
}

/** `undefined` when neither the settings nor the data directory name a server. */
export async function findServer(settings: Settings): Promise<ServerAddress | undefined> {
  const local = await readLocalServer(settings.dataDir);
  if (settings.server) {
    // The admin token of the data directory is for the server that wrote it, and for no other.
    const isLocal = local !== undefined && local.url.origin === settings.server.origin;
    const token = settings.token ?? (isLocal ? await readAdminToken(settings.dataDir) : undefined);
    return {
      url: settings.server,
      token,
      unreachable: {
        message: `Nobody answers at ${settings.server.href}.`,
        hint: "Check the address, and that the server runs and can be reached from here.",
      },
    };
  }
  if (!local) return undefined;
  return {
    url: local.url,
    token: settings.token ?? (await readAdminToken(settings.dataDir)),
    unreachable: {
      message: `Nobody answers at ${local.url.href}, where a server on ${settings.dataDir} was started ${formatAgo(local.startedAt)} (process ${local.pid}).`,
      hint: "It has stopped without saying so; start it again with `larder up`.",
    },
  };
}

const serverFileSchema = z.object({
  url: z.url({ protocol: /^https?$/ }).transform((text) => new URL(text)),
  pid: z.number().int(),
  startedAt: z.string(),
});

async function readLocalServer(dataDir: string): Promise<z.infer<typeof serverFileSchema> | undefined> {
  const path = join(dataDir, "control", "server.json");
  const text = await readOwned(path);
  if (text === undefined) return undefined;
  try {
    return serverFileSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new LarderError("E_SERVER_UNREACHABLE", `${path} does not say where the server is.`, {
      hint: "Restart the server, which writes it anew, or name it with --server URL and --token TOKEN.",
      cause: error,
    });
  }
}

async function readAdminToken(dataDir: string): Promise<string | undefined> {
  return (await readOwned(join(dataDir, "control", "admin-token")))?.trim() || undefined;
}

async function readOwned(path: string): Promise<string | undefined> {
  try {
    return await undefinedOn(["ENOENT", "ENOTDIR"], readFile(path, "utf8"));
  } catch (error) {
    if (errnoOf(error) !== "EACCES" && errnoOf(error) !== "EPERM") throw error;
    throw new LarderError("E_PERMISSION", `This user may not read ${path}.`, {
      hint: "Use the account that runs the server, or name it with --server URL and --token TOKEN.",
      cause: error,
    });
  }
}
