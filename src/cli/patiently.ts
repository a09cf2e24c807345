import { hasCode } from "../contract/bare.ts";
import { sleep } from "../lib/bare.ts";

/** A server that restarts is back within this; its operations go on then. */
export const patienceMs = 30_000;

/** Repeats a read while the server cannot be reached, for as long as a restart may take. */
export async function patiently<T>(
  read: () => Promise<T>,
  { signal, note }: { signal: AbortSignal; note?(text: string): void },
): Promise<T> {
  let since: number | undefined;
  for (;;) {
    try {
      const answer = await read();
      if (since !== undefined) note?.("The server answers again.");
      return answer;
    } catch (error) {
      if (!hasCode(error, "E_SERVER_UNREACHABLE", "E_NOT_READY")) throw error;
      if (since === undefined) note?.("The server does not answer; waiting for it to come back.");
      since ??= Date.now();
      if (Date.now() - since > patienceMs) throw error;
      await sleep(500, signal);
    }
  }
}
