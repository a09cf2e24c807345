import { LarderError } from "../contract/bare.ts";
import type { EnvironmentName, Host } from "../contract/index.ts";
import { sleep } from "../lib/bare.ts";
import type { Watcher } from "./follow-operation.ts";
import type { LarderClient } from "./larder-client.ts";
import { patiently } from "./patiently.ts";

export interface Convergence {
  /** How many serve it. */
  hosts: number;
  /** How many do not, and were not waited for: nothing is heard of them. */
  silent: number;
  waitedMs: number;
}

/** So many are named. */
const named = 10;

/**
 * Waits until every host of the environment that is heard of serves `generation` or a later one. `E_TIMEOUT` names some of those that do not. Aborting stops the
 * watching; what was published holds.
 */
export async function waitForHosts(
  client: LarderClient,
  wanted: { environment: EnvironmentName; generation: number; timeoutMs: number },
  watcher: Watcher,
): Promise<Convergence> {
  const startedAt = Date.now();
  const { environment, generation } = wanted;
  const count = async (silent: boolean) => {
    const { total, groups } = await patiently(() => client.hosts.count({ environment, silent }), watcher);
    return { total, behind: groups.reduce((sum, group) => sum + (group.generation < generation ? group.hosts : 0), 0) };
  };
  try {
    for (;;) {
      const { total, behind } = await count(false);
      if (behind === 0) {
        const silent = await count(true);
        return { hosts: total + silent.total - silent.behind, silent: silent.behind, waitedMs: Date.now() - startedAt };
      }
      const late = { environment, silent: false, below: generation, limit: named };
      const { items } = await patiently(() => client.hosts.list(late), watcher);
      const names = items.map(describe).join(", ") + (behind > items.length ? ` and ${behind - items.length} more` : "");
      if (Date.now() - startedAt > wanted.timeoutMs) throw tooSlow({ ...wanted, names, hosts: items.map(({ id }) => id) });
      watcher.onProgress?.({ phase: "hosts", done: total - behind, total, subject: names });
      await sleep(150, watcher.signal);
    }
  } catch (error) {
    if (!watcher.signal.aborted) throw error;
    throw new LarderError("E_CANCELLED", `No longer waiting: generation ${generation} of ${environment} holds.`, {
      hint: follow,
    });
  }
}

const follow = "Hosts follow by themselves; see how far they are: larder status";

const describe = (host: Host): string => (host.error ? `${host.id} (${host.error.code})` : host.id);

function tooSlow(late: { generation: number; timeoutMs: number; names: string; hosts: string[] }): LarderError {
  const { generation, timeoutMs, names, hosts } = late;
  return new LarderError(
    "E_TIMEOUT",
    `After ${timeoutMs / 1000} s these hosts do not serve generation ${generation}: ${names}.`,
    {
      hint: "See `larder status` for what they say; they go on trying.",
      details: { hosts },
    },
  );
}
