import { LarderError } from "../contract/bare.ts";
import type { EnvironmentName, Host } from "../contract/index.ts";
import { sleep } from "../lib/index.ts";
import type { Watcher } from "./follow-operation.ts";
import type { LarderClient } from "./larder-client.ts";
import { patiently } from "./patiently.ts";

export interface Convergence {
  hosts: Host[];
  waitedMs: number;
}

/** Waits until every host of the environment serves `generation` or a later one. `E_TIMEOUT` names those that do not. */
export async function waitForHosts(
  client: LarderClient,
  wanted: { environment: EnvironmentName; generation: number; timeoutMs: number },
  watcher: Watcher,
): Promise<Convergence> {
  const startedAt = Date.now();
  for (;;) {
    const { hosts } = await patiently(() => client.status.get({ environment: wanted.environment }), watcher);
    const behind = hosts.filter((host) => host.generation < wanted.generation);
    if (behind.length === 0) return { hosts, waitedMs: Date.now() - startedAt };
    if (Date.now() - startedAt > wanted.timeoutMs) throw tooSlow(behind, wanted);
    watcher.onProgress?.({
      phase: "hosts",
      done: hosts.length - behind.length,
      total: hosts.length,
      subject: behind.map(describe).join(", "),
    });
    await sleep(150, watcher.signal);
  }
}

const describe = (host: Host): string => (host.error ? `${host.id} (${host.error.code})` : host.id);

function tooSlow(behind: Host[], { generation, timeoutMs }: { generation: number; timeoutMs: number }): LarderError {
  const names = behind.slice(0, 10).map(describe).join(", ");
  const more = behind.length > 10 ? ` and ${behind.length - 10} more` : "";
  return new LarderError(
    "E_TIMEOUT",
    `After ${timeoutMs / 1000} s these hosts do not serve generation ${generation}: ${names}${more}.`,
    {
      hint: "See `larder status` for what they say; they go on trying.",
      details: { hosts: behind.map(({ id }) => id) },
    },
  );
}
