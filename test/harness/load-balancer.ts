import { connect, createServer, type Socket } from "node:net";

export interface LoadBalancer extends AsyncDisposable {
  port: number;
  /** Replaces the backend of this name, or adds one; `undefined` removes it. */
  set(name: string, url: string | undefined): void;
  /** Names of those that were ready when last asked. */
  ready(): string[];
}

export interface LoadBalancerOptions {
  host?: string;
  /** Between two questions to a backend's `/readyz`. */
  checkMs?: number;
  /** An answer that takes longer counts as none. */
  answerMs?: number;
}

interface Backend {
  port: number;
  ready: boolean;
}

/** Connections to replicas that say they are ready, in turn; one that cannot be opened is tried at the next. What runs over them is not looked at. */
export async function openLoadBalancer(options: LoadBalancerOptions = {}): Promise<LoadBalancer> {
  const { host = "127.0.0.1", checkMs = 100, answerMs = 1000 } = options;
  const backends = new Map<string, Backend>();
  const sockets = new Set<Socket>();
  let turn = 0;

  const forward = (client: Socket, tried: ReadonlySet<Backend>): void => {
    const ready = [...backends.values()].filter((backend) => backend.ready && !tried.has(backend));
    const backend = ready[turn++ % Math.max(ready.length, 1)];
    if (backend === undefined) return void client.resetAndDestroy();
    const upstream = connect(backend.port, "127.0.0.1");
    upstream.setNoDelay(true);
    let connected = false;
    upstream.once("connect", () => {
      connected = true;
      sockets.add(upstream);
      client.pipe(upstream);
      upstream.pipe(client);
    });
    upstream.on("error", () => {
      if (!connected) forward(client, new Set([...tried, backend]));
      else client.destroy();
    });
    upstream.on("close", () => {
      sockets.delete(upstream);
      if (connected) client.end();
    });
    client.on("close", () => upstream.destroy());
  };
  const server = createServer({ allowHalfOpen: false }, (client) => {
    client.setNoDelay(true);
    sockets.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => sockets.delete(client));
    forward(client, new Set());
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));

  const check = async (backend: Backend): Promise<void> => {
    try {
      const answer = await fetch(`http://127.0.0.1:${backend.port}/readyz`, {
        signal: AbortSignal.timeout(answerMs),
        headers: { connection: "close" },
      });
      backend.ready = answer.ok;
      await answer.body?.cancel();
    } catch {
      backend.ready = false;
    }
  };
  const timer = setInterval(() => {
    for (const backend of backends.values()) void check(backend);
  }, checkMs);

  return {
    port: (server.address() as { port: number }).port,
    set(name, url) {
      backends.delete(name);
      if (url !== undefined) backends.set(name, { port: Number(new URL(url).port), ready: true });
    },
    ready: () => [...backends].filter(([, { ready }]) => ready).map(([name]) => name),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
