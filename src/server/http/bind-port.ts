import { LarderError } from "../../contract/index.ts";
import { errnoOf } from "../../lib/index.ts";

/** `open`, which listens. Throws `E_BUSY` when the port is taken, `E_CONFIG` when it cannot be had at all. */
export function bindPort<T>({ host, port }: { host: string; port: number }, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const taken = errnoOf(error) === "EADDRINUSE";
    throw new LarderError(
      taken ? "E_BUSY" : "E_CONFIG",
      `Cannot listen on ${host}:${port}${taken ? ": another process does" : ""}.`,
      {
        hint: taken
          ? "Stop that process, or give another address; port 0 picks a free one."
          : "Give an address of this machine and a port that this user may use.",
        cause: error,
      },
    );
  }
}
