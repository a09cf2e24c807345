import { randomBytes } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";

/** A proof that this process lives: a listening Unix socket in `directory`, which the kernel closes however the process ends. */
export interface Liveness extends AsyncDisposable {
  /** The socket's file name within its directory. */
  readonly name: string;
}

/**
 * Makes `directory` when it is missing. Works across pid and network namespaces that share the file system, where a process id means nothing;
 * a stopped process still counts as alive, because the kernel answers for it.
 */
export async function openLiveness(directory: string): Promise<Liveness> {
  await mkdir(directory, { recursive: true });
  const name = `${process.pid}-${randomBytes(6).toString("hex")}.sock`;
  const server = createServer((socket) => socket.destroy());
  await withSocketPath(directory, name, (path) => listen(server, path));
  server.unref();
  return {
    name,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      // A socket that is closed is dead, whether its name can be removed or not; whoever comes next removes it.
      await rm(join(directory, name), { force: true }).catch(() => {});
    },
  };
}

/** False only when the holder is certainly gone: its socket file is missing, or nobody listens on it. */
export async function isAlive(directory: string, name: string): Promise<boolean> {
  try {
    return await withSocketPath(directory, name, probe);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function probe(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.once("connect", () => answer(true));
    // EAGAIN (a full backlog) and EACCES mean that somebody is there.
    socket.once("error", (error: NodeJS.ErrnoException) => answer(!["ECONNREFUSED", "ENOENT"].includes(error.code ?? "")));
  });
}

/**
 * A socket's address holds about 100 bytes, a data directory's path may be longer: on Linux the directory is named through an open descriptor.
 */
async function withSocketPath<T>(directory: string, name: string, use: (path: string) => Promise<T>): Promise<T> {
  const direct = join(directory, name);
  if (Buffer.byteLength(direct) < 100 || process.platform !== "linux") return use(direct);
  const handle = await open(directory, "r");
  try {
    return await use(`/proc/self/fd/${handle.fd}/${name}`);
  } finally {
    await handle.close();
  }
}
