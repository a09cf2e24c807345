/** What people ask for meanwhile, as they notice it. */
export interface AdminSummary {
  requests: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  failures: string[];
}

interface Running {
  stop(): Promise<{ single: AdminSummary; fleet: AdminSummary }>;
}

type Ask = (method: "GET", path: string) => Promise<unknown>;

/** Single things over and over; hosts and their numbers oftener than an open console asks for them. */
export function startAdmin(ask: Ask): Running {
  const single = startAsking(ask, ["/environments/default/packages", "/operations?limit=20", "/hosts/sim-0"], 25);
  const fleet = startAsking(ask, ["/hosts?limit=500", "/host-counts"], 2500);
  return { stop: async () => ({ single: await single(), fleet: await fleet() }) };
}

function startAsking(ask: Ask, paths: readonly string[], pauseMs: number): () => Promise<AdminSummary> {
  const taken: number[] = [];
  const failures: string[] = [];
  const stopped = Promise.withResolvers<void>();
  let stopping = false;
  const run = async () => {
    for (let i = 0; !stopping; i++) {
      const from = performance.now();
      try {
        await ask("GET", paths[i % paths.length] as string);
        taken.push(performance.now() - from);
      } catch (error) {
        failures.push(String(error));
      }
      await Promise.race([Bun.sleep(pauseMs), stopped.promise]);
    }
  };
  const running = run();
  return async () => {
    stopping = true;
    stopped.resolve();
    await running;
    taken.sort((a, b) => a - b);
    const at = (share: number) => taken[Math.floor(taken.length * share)] ?? Number.NaN;
    return { requests: taken.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: taken.at(-1) ?? Number.NaN, failures };
  };
}
