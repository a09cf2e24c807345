import { LarderError } from "../contract/bare.ts";
import type { EnvironmentName, Host } from "../contract/index.ts";
import { sleep } from "../lib/bare.ts";
import type { Watcher } from "./follow-operation.ts";
import type { LarderClient } from "./larder-client.ts";
import { patiently } from "./patiently.ts";

export interface Convergence {
  /** How many the environment has. */
  hosts: number;
  waitedMs: number;
}

/** So many are named. */
const named = 10;

/** Waits until every host of the environment serves `generation` or a later one. `E_TIMEOUT` names some of those that do not. */
export async function waitForHosts(
  client: LarderClient,
  wanted: { environment: EnvironmentName; generation: number; timeoutMs: number },
  watcher: Watcher,
): Promise<Convergence> {
  const startedAt = Date.now();
  const { environment, generation } = wanted;
  for (;;) {
    const { total, groups } = await patiently(() => client.hosts.count({ environment }), watcher);
    const behind = groups.reduce((sum, group) => sum + (group.generation < generation ? group.hosts : 0), 0);
    if (behind === 0) return { hosts: total, waitedMs: Date.now() - startedAt };
    const { items } = await patiently(() => client.hosts.list({ environment, below: generation, limit: named }), watcher);
    const names = items.map(describe).join(", ") + (behind > items.length ? ` and ${behind - items.length} more` : "");
    if (Date.now() - startedAt > wanted.timeoutMs) throw tooSlow({ ...wanted, names, hosts: items.map(({ id }) => id) });
    watcher.onProgress?.({ phase: "hosts", done: total - behind, total, subject: names });
    await sleep(150, watcher.signal);
  }
}

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
