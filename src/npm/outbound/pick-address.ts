import type { LookupAddress } from "node:dns";
import { connect } from "node:net";

/** Which of several checked addresses to ask: one that takes connections, for as long as it does. */
export interface AddressPicker {
  /** Throws what the last attempt met when none of them answers. */
  pick(addresses: readonly LookupAddress[], port: number, signal: AbortSignal): Promise<LookupAddress>;
  /** It failed: look again next time. */
  forget(address: LookupAddress, port: number): void;
}

export function createAddressPicker(): AddressPicker {
  const working = new Set<string>();
  const nameOf = ({ address }: LookupAddress, port: number) => `${address} ${port}`;
  return {
    async pick(addresses, port, signal) {
      const [first] = addresses as [LookupAddress];
      if (addresses.length === 1) return first;
      const known = addresses.find((each) => working.has(nameOf(each, port)));
      if (known) return known;
      const found = await firstToConnect(addresses, port, signal);
      working.add(nameOf(found, port));
      return found;
    },
    forget(address, port) {
      working.delete(nameOf(address, port));
    },
  };
}

/** As browsers do: the next address gets its chance when one is silent for a moment, so that a network without IPv6 costs no time-out. */
function firstToConnect(addresses: readonly LookupAddress[], port: number, signal: AbortSignal): Promise<LookupAddress> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      // Looked up below, and nowhere else.
      host: "registry",
      port,
      autoSelectFamily: true,
      lookup: (_host, _options, callback) => callback(null, [...addresses]),
    });
    const abort = () => socket.destroy(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const settle = () => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
    };
    socket.once("connect", () => {
      const reached = addresses.find(({ address }) => address === socket.remoteAddress);
      settle();
      if (reached) resolve(reached);
      else reject(new Error("connected to an address that nobody checked"));
    });
    socket.once("error", (error) => {
      settle();
      reject(error);
    });
  });
}
