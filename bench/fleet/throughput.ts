import { type HostAuth, seedHosts } from "./host-auth.ts";
import { openRawClient, type RawAnswer } from "./raw-http.ts";

// A process of its own that asks as fast as it is answered. Commands as in simulated-hosts.ts.

const connections = 64;
let hosts: HostAuth[] = [];

const requests: Record<string, (host: HostAuth, what: { path: string; etag: string }) => Promise<[head: string, body?: string]>> =
  {
    "desired, not modified": async (host, { etag }) => [
      `GET /api/desired HTTP/1.1\r\nauthorization: ${await host.reading()}\r\nif-none-match: ${etag}\r\n`,
    ],
    desired: async (host) => [`GET /api/desired HTTP/1.1\r\nauthorization: ${await host.reading()}\r\n`],
    blob: async (host, { path }) => [`GET ${path} HTTP/1.1\r\nauthorization: ${await host.reading()}\r\n`],
    "check-in": async (host) => {
      const path = "/api/hosts/self/report";
      const platform = { os: "linux", cpu: "x64", libc: "glibc" };
      const body = JSON.stringify({ phase: "ready", generation: 1, platform, agentVersion: "bench", runsInFlight: 0 });
      return [`PUT ${path} HTTP/1.1\r\nauthorization: ${await host.changing({ method: "PUT", path, body })}\r\n`, body];
    },
    plain: async (_, { path }) => [`GET ${path} HTTP/1.1\r\naccept: application/json\r\n`],
  };

interface Load {
  what: string;
  url: string;
  forMs: number;
  path?: string;
  etag?: string;
}

const commands: Record<string, (input: never) => Promise<unknown>> = {
  async join({ url, databaseUrl }: { url: string; databaseUrl: string }) {
    hosts = await seedHosts(databaseUrl, { prefix: "load", count: connections });
    const answer = await fetch(`${url}/api/desired`, {
      headers: { authorization: await (hosts[0] as HostAuth).reading() },
    });
    return { etag: answer.headers.get("etag") };
  },
  async run({ what, url, forMs, path = "", etag = "" }: Load) {
    const { hostname, port } = new URL(url);
    const make = requests[what];
    if (make === undefined) throw new Error(`there is no load called ${what}`);
    const taken: number[] = [];
    const statuses: Record<number, number> = {};
    let bytes = 0;
    const until = performance.now() + forMs;
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: connections }, async (_, i) => {
        const client = await openRawClient({ hostname, port: Number(port) });
        while (performance.now() < until) {
          const [head, body] = await make((hosts[i] ?? hosts[0]) as HostAuth, { path, etag });
          const from = performance.now();
          const answer: RawAnswer = await client.request(head, body);
          taken.push(performance.now() - from);
          statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
          bytes += answer.body.length;
        }
        client.close();
      }),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    taken.sort((a, b) => a - b);
    return {
      requests: taken.length,
      perSecond: taken.length / seconds,
      p99Ms: taken[Math.floor(taken.length * 0.99)],
      statuses,
      bytes,
    };
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
