import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface RegistryMirror extends AsyncDisposable {
  /** Ends with a slash. */
  url: string;
  /** Requests that had to go upstream. */
  fetched: number;
  /** What kept the mirror from reaching upstream, the latest of it. */
  unreachable: string | undefined;
}

const defaultUpstream = "https://registry.npmjs.org/";

/** Between runs, and shared by concurrent ones. */
const defaultCacheDir = (): string => join(process.env.XDG_CACHE_HOME ?? tmpdir(), "larder-registry-mirror");

/**
 * The real registry's packages from loopback: each address is fetched once and then served from disk, so that a second run is quick and needs no
 * network. What is not in the cache while upstream is away answers 502 and says so.
 */
export async function openRegistryMirror({
  cacheDir = defaultCacheDir(),
  upstream = defaultUpstream,
  timeoutMs = 60_000,
  packumentAgeMs = 24 * 60 * 60 * 1000,
}: {
  cacheDir?: string;
  upstream?: string;
  timeoutMs?: number;
  packumentAgeMs?: number;
} = {}): Promise<RegistryMirror> {
  await mkdir(cacheDir, { recursive: true });
  const underWay = new Map<string, Promise<Stored>>();

  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const mirror: RegistryMirror = {
    url,
    fetched: 0,
    unreachable: undefined,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };

  async function serve({ url: path = "/", method, headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (method !== "GET") return void response.writeHead(405).end();
      const stored = await lookUp(path.slice(1));
      const etag = `"${createHash("sha256").update(stored.body).digest("hex")}"`;
      if (headers["if-none-match"] === etag && stored.status === 200) return void response.writeHead(304, { etag }).end();
      response.writeHead(stored.status, { "content-type": stored.type, etag });
      response.end(stored.type.includes("json") ? pointedHere(stored.body, url) : stored.body);
    } catch (error) {
      mirror.unreachable = `The registry ${upstream} cannot be reached from here (${(error as Error).message}), and ${path} is not in ${cacheDir}.`;
      response.writeHead(502, { "content-type": "application/json" }).end(JSON.stringify({ error: mirror.unreachable }));
    }
  }

  function lookUp(path: string): Promise<Stored> {
    const known = underWay.get(path) ?? readOrFetch(path).finally(() => underWay.delete(path));
    underWay.set(path, known);
    return known;
  }

  async function readOrFetch(path: string): Promise<Stored> {
    const file = join(cacheDir, createHash("sha256").update(`${upstream}${path}`).digest("hex"));
    const cached = await readStored(file);
    // A tarball never changes; a packument gets new versions.
    if (cached && (path.includes("/-/") || cached.ageMs < packumentAgeMs)) return cached;
    try {
      const stored = await fetchStored(path);
      if (stored.status === 200) await writeStored(file, stored);
      return stored;
    } catch (error) {
      if (cached) return cached;
      throw error;
    }
  }

  async function fetchStored(path: string): Promise<Stored> {
    mirror.fetched++;
    // Full packuments: they answer every question that abbreviated ones do.
    const answer = await fetch(new URL(path, upstream), { signal: AbortSignal.timeout(timeoutMs) });
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.status >= 500) throw new Error(`it answered ${answer.status}`);
    return { status: answer.status, type: answer.headers.get("content-type") ?? "application/octet-stream", body };
  }
  return mirror;
}

/** Why real packages cannot be had; `undefined` when they can, or when the cache may have them. */
export async function whyNoRegistry(mirror: RegistryMirror): Promise<string | undefined> {
  const { status } = await fetch(`${mirror.url}is-number`);
  return status === 200 ? undefined : (mirror.unreachable ?? `The registry answered ${status} for is-number.`);
}

interface Stored {
  status: number;
  type: string;
  body: Buffer;
}

/** The content type, a line break, the body. Written beside and renamed, so that a file that is there is whole. */
async function writeStored(file: string, { type, body }: Stored): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  await writeFile(draft, Buffer.concat([Buffer.from(`${type}\n`), body]));
  await rename(draft, file);
}

async function readStored(file: string): Promise<(Stored & { ageMs: number }) | undefined> {
  const [content, info] = await Promise.all([readFile(file), stat(file)]).catch(() => []);
  if (content === undefined || info === undefined) return undefined;
  const end = content.indexOf(10);
  return {
    status: 200,
    type: content.subarray(0, end).toString(),
    body: content.subarray(end + 1),
    ageMs: Date.now() - info.mtimeMs,
  };
}

/** Tarball addresses name the upstream registry, or whatever stands before it; a client must come back to the mirror. */
function pointedHere(body: Buffer, url: string): string {
  return body.toString().replace(/("tarball"\s*:\s*")https?:\/\/[^/"]+\//g, `$1${url}`);
}
