import { randomBytes } from "node:crypto";
import type { Socket } from "bun";
import { type LockfileHash, manifestFromHeader, rawRoutes } from "../../src/contract/index.ts";
import { type HostAuth, seedHosts } from "./host-auth.ts";
import { createRawPool } from "./raw-http.ts";

// A process of its own that stands for many hosts: an event stream each, a jittered poll behind it, and after a change the manifest's delta and a report, as
// `src/agent` does it; a report every minute too. No store, no packages, no signatures checked. Commands come as lines of JSON on standard input, answers go as lines of JSON to standard output.

let pollMs = 60_000;
let heartbeatMs = 60_000;
/** Polls and reports share so many connections; streams have their own. */
const pooled = 512;

interface Simulated {
  auth: HostAuth;
  index: number;
  socket: Socket<Simulated> | undefined;
  buffered: string;
  /** While a stream is being opened. */
  opening: { resolve(): void; reject(error: Error): void } | undefined;
  etag: string | undefined;
  desired: Desired | undefined;
  reportedAt: number;
  lookedAt: number;
  /** The stream has said what is wanted. */
  greeted: (() => void) | undefined;
  session: string;
  reports: number;
  polling: boolean;
}

interface Desired {
  generation: number;
  lockfileHash: string;
}
interface Offer {
  signed: { desired: Desired };
  etag: string;
}

let server: URL;
const hosts: Simulated[] = [];
const errors: Record<string, number> = {};
const statuses: Record<string, number> = {};
let told = new Map<number, number>();
let fetched = new Map<number, number>();
let reported = new Map<number, number>();
let connected = 0;

const countIn = (record: Record<string, number>, key: string) => {
  record[key] = (record[key] ?? 0) + 1;
};
const addressOf = (index: number) => ({ hostname: `127.0.0.${1 + (index % 8)}`, port: Number(server.port) });
let turn = 0;
const pool = createRawPool(() => addressOf(turn++), pooled);

/** Repeats what the server puts off, as agents do; what cannot be had is an error and is given up. */
async function ask(what: string, attempt: () => Promise<{ status: number; headers: string; body: Uint8Array }>) {
  for (let tries = 0; tries < 20; tries++) {
    try {
      const answer = await attempt();
      countIn(statuses, `${what} ${answer.status}`);
      if (answer.status !== 503 && answer.status !== 429) return answer;
      const after = Number(/retry-after: (\d+)/i.exec(answer.headers)?.[1] ?? 1);
      await Bun.sleep(after * 1000 * (1 + 0.2 * Math.random()));
    } catch (error) {
      countIn(errors, `${what}: ${(error as Error).message}`);
      await Bun.sleep(200 + Math.random() * 500);
    }
  }
  countIn(errors, `${what}: given up`);
  return undefined;
}

async function look(host: Simulated): Promise<void> {
  const answer = await ask("desired", async () =>
    pool.request(
      `GET /api/desired HTTP/1.1\r\nauthorization: ${await host.auth.reading()}\r\n${host.etag ? `if-none-match: ${host.etag}\r\n` : ""}`,
    ),
  );
  if (answer?.status === 200) {
    const etag = /etag: (\S+)/i.exec(answer.headers)?.[1] ?? "";
    await converge(host, { signed: JSON.parse(new TextDecoder().decode(answer.body)) as Offer["signed"], etag });
  } else if (performance.now() - host.reportedAt > 0.8 * heartbeatMs) await report(host);
}

async function converge(host: Simulated, { signed: { desired }, etag }: Offer): Promise<void> {
  const from = host.desired?.lockfileHash;
  host.etag = etag;
  host.desired = desired;
  fetched.set(host.index, Date.now());
  // By an event, or by a poll that came before it.
  if (!told.has(host.index)) told.set(host.index, Date.now());
  await ask("manifest", async () =>
    pool.request(
      `GET ${rawRoutes.manifest(desired.lockfileHash as LockfileHash)} HTTP/1.1\r\nauthorization: ${await host.auth.reading()}\r\n${from ? `${manifestFromHeader}: ${from}\r\n` : ""}`,
    ),
  );
  await report(host);
}

async function report(host: Simulated): Promise<void> {
  host.reportedAt = performance.now();
  const path = "/api/hosts/self/report";
  const body = JSON.stringify({
    phase: host.desired ? "ready" : "pending",
    generation: host.desired?.generation ?? 0,
    accepted: host.desired?.generation ?? 0,
    ...(host.desired ? { lockfileHash: host.desired.lockfileHash } : {}),
    platform: { os: "linux", cpu: "x64", libc: "glibc" },
    agentVersion: "bench",
    runsInFlight: 0,
    freeBytes: 1e9 + Math.floor(Math.random() * 1e9),
    totalBytes: 4e9,
    session: { id: host.session, sequence: ++host.reports, hostname: host.auth.id },
  });
  const answer = await ask("report", async () => {
    const authorization = await host.auth.changing({ method: "PUT", path, body });
    return await pool.request(`PUT ${path} HTTP/1.1\r\nauthorization: ${authorization}\r\n`, body);
  });
  if (answer?.status === 200 || answer?.status === 204) reported.set(host.index, Date.now());
  else if (answer) countIn(errors, `report: ${answer.status} ${new TextDecoder().decode(answer.body).slice(0, 200)}`);
}

interface Heard {
  type: string;
  generation: number;
  offer?: Offer;
  spreadMs?: number;
}

async function hear(host: Simulated, { type, generation, offer, spreadMs = 0 }: Heard): Promise<void> {
  if (type !== "desired") return;
  const isBehind = () => generation > (host.desired?.generation ?? 0);
  if (isBehind()) {
    if (!told.has(host.index)) told.set(host.index, Date.now());
    await Bun.sleep(Math.random() * spreadMs);
    if (isBehind()) await (offer ? converge(host, offer) : look(host));
  }
  host.lookedAt = performance.now();
  host.greeted?.();
}

const streamHandlers = {
  data(socket: Socket<Simulated>, chunk: Buffer) {
    const host = socket.data;
    host.buffered += chunk.toString("latin1");
    if (host.opening) {
      if (!host.buffered.includes("\r\n\r\n")) return;
      const status = host.buffered.slice(9, 12);
      countIn(statuses, `events ${status}`);
      if (status !== "200") return void socket.end();
      connected += 1;
      host.opening.resolve();
      host.opening = undefined;
    }
    for (const [, data = ""] of host.buffered.matchAll(/^data: (.*)\n/gm)) void hear(host, JSON.parse(data) as Heard);
    host.buffered = host.buffered.slice(host.buffered.lastIndexOf("\n") + 1);
  },
  close(socket: Socket<Simulated>) {
    const host = socket.data;
    if (host.socket !== undefined && host.socket !== socket) return;
    host.socket = undefined;
    if (host.opening) return host.opening.reject(new Error("refused or closed at once"));
    connected -= 1;
    if (!closing) {
      countIn(errors, "event stream closed");
      void connectStream(host, 200 + Math.random() * 1000);
    }
  },
  error() {},
};
let closing = false;

async function connectStream(host: Simulated, afterMs: number): Promise<void> {
  await Bun.sleep(afterMs);
  for (;;) {
    try {
      const opened = Promise.withResolvers<void>();
      host.buffered = "";
      host.opening = opened;
      const greeted = Promise.withResolvers<void>();
      host.greeted = greeted.resolve;
      host.socket = await Bun.connect<Simulated>({ ...addressOf(host.index), data: host, socket: streamHandlers });
      host.socket.write(
        `GET /api/events HTTP/1.1\r\nhost: bench\r\nauthorization: ${await host.auth.reading()}\r\naccept: text/event-stream\r\n\r\n`,
      );
      await Promise.all([opened.promise, greeted.promise]);
      if (!host.polling) void poll(host);
      return;
    } catch (error) {
      countIn(errors, `events: ${(error as Error).message}`);
      await Bun.sleep(500 + Math.random() * 1000);
    }
  }
}

async function poll(host: Simulated): Promise<void> {
  host.polling = true;
  const pause = () => pollMs * (0.8 + 0.4 * Math.random());
  for (let wait = pause(); ; ) {
    await Bun.sleep(wait);
    // Whatever else made it look takes the place of a poll.
    const due = host.lookedAt + pause();
    if (due > performance.now()) {
      wait = due - performance.now();
      continue;
    }
    await look(host);
    wait = pause();
  }
}

const spread = (values: Iterable<number>) => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { count: sorted.length, first: sorted[0], p50: at(0.5), p99: at(0.99), last: sorted.at(-1) };
};

interface Join {
  url: string;
  databaseUrl: string;
  count: number;
  pollMs: number;
  heartbeatMs: number;
}

const commands: Record<string, (input: never) => Promise<unknown>> = {
  async join({ url, databaseUrl, count, ...pace }: Join) {
    server = new URL(url);
    ({ pollMs, heartbeatMs } = pace);
    for (const [index, auth] of (await seedHosts(databaseUrl, { prefix: "sim", count })).entries()) {
      hosts.push({
        auth,
        index,
        socket: undefined,
        buffered: "",
        opening: undefined,
        etag: undefined,
        desired: undefined,
        reportedAt: Number.NEGATIVE_INFINITY,
        lookedAt: Number.NEGATIVE_INFINITY,
        polling: false,
        greeted: undefined,
        session: randomBytes(16).toString("hex"),
        reports: 0,
      });
    }
    return { hosts: hosts.length };
  },
  /** All of them at moments spread over so long; answers when every stream is open and every host has looked. */
  async connect({ withinMs }: { withinMs: number }) {
    const startedAt = Date.now();
    const done: number[] = [];
    await Promise.all(
      hosts.map(async (host) => {
        await connectStream(host, Math.random() * withinMs);
        done.push(Date.now() - startedAt);
      }),
    );
    return spread(done);
  },
  /** Every stream at once, as when a network comes back. */
  async disconnect() {
    closing = true;
    for (const host of hosts) host.socket?.terminate();
    await Bun.sleep(500);
    closing = false;
    connected = 0;
    return {};
  },
  async watch() {
    told = new Map();
    fetched = new Map();
    reported = new Map();
    return {};
  },
  async seen() {
    return { told: spread(told.values()), fetched: spread(fetched.values()), reported: spread(reported.values()) };
  },
  async counts() {
    const cpu = process.cpuUsage();
    return { connected, errors: { ...errors }, statuses: { ...statuses }, cpuMs: (cpu.user + cpu.system) / 1000 };
  },
};

for await (const line of console) {
  const { command, ...input } = JSON.parse(line) as { command: string };
  try {
    console.log(JSON.stringify({ answer: await commands[command]?.(input as never) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
