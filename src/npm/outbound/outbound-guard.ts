import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { classifyAddress } from "./address-class.ts";
import { blockedPorts } from "./blocked-ports.ts";

/** A place that Larder will not connect to; the message says why, after "it". */
export class AddressRefused extends Error {}
/** The name stands for no address, or nobody could be asked. */
export class NameNotResolved extends Error {}

/** Host and port of something of our own: the API, the database. */
export interface OwnEndpoint {
  host: string;
  port: number;
}

export interface OutboundGuard {
  /**
   * The addresses that may be connected to for `url`: its name is resolved once, here, and every address is looked at. Those of this machine and of private
   * networks are let through for origins in `trusted` only; link-local, metadata and our own endpoints never. Throws `AddressRefused`, `NameNotResolved`.
   */
  check(url: URL, trusted: ReadonlySet<string>): Promise<LookupAddress[]>;
  /** Nothing is ever asked for there from now on. */
  forbid(endpoint: OwnEndpoint): void;
}

export interface OutboundGuardOptions {
  resolve?: (host: string) => Promise<LookupAddress[]>;
}

export function createOutboundGuard({ resolve = resolveName }: OutboundGuardOptions = {}): OutboundGuard {
  const own: OwnEndpoint[] = [];

  const isOwn = async (addresses: LookupAddress[], port: number): Promise<boolean> => {
    for (const endpoint of own) {
      if (endpoint.port !== port) continue;
      const mine = await addressesOf(endpoint.host, resolve);
      const isHere = mine.some(isThisMachine);
      if (addresses.some(({ address }) => mine.includes(address) || (isHere && isThisMachine(address)))) return true;
    }
    return false;
  };

  return {
    async check(url, trusted) {
      assertFetchable(url);
      const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
      const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
      const family = isIP(host);
      const addresses = family === 0 ? await resolve(host) : [{ address: host, family }];
      if (addresses.length === 0) throw new NameNotResolved(`${host} has no address`);
      for (const { address } of addresses) {
        const kind = classifyAddress(address);
        if (kind === "never")
          throw new AddressRefused(`is at ${address}, where no registry is: a link-local, metadata or multicast address`);
        if (kind === "private" && !trusted.has(url.origin)) {
          throw new AddressRefused(`is at ${address}, an address that is not public, and no admin named this origin`);
        }
      }
      if (await isOwn(addresses, port)) throw new AddressRefused("is one of Larder's own endpoints");
      return addresses;
    },
    forbid(endpoint) {
      own.push(endpoint);
    },
  };
}

/** What can be said of an address without asking anyone. Throws `AddressRefused`. */
export function assertFetchable(url: URL): void {
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new AddressRefused(`is at ${url.protocol}, not at http or https`);
  if (url.username !== "" || url.password !== "") throw new AddressRefused("has credentials in its address");
  if (url.port !== "" && blockedPorts.has(Number(url.port)))
    throw new AddressRefused(`is at port ${url.port}, which is not for HTTP`);
}

async function resolveName(host: string): Promise<LookupAddress[]> {
  try {
    return await lookup(host, { all: true });
  } catch (error) {
    throw new NameNotResolved((error as NodeJS.ErrnoException).code ?? (error as Error).message, { cause: error });
  }
}

async function addressesOf(host: string, resolve: (host: string) => Promise<LookupAddress[]>): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    return (await resolve(host)).map(({ address }) => address);
  } catch {
    // Nobody knows where it is now, so nobody can be sent there by that name.
    return [];
  }
}

function isThisMachine(address: string): boolean {
  if (address === "0.0.0.0" || address === "::" || /^127\.|^::1$|^::ffff:127\./.test(address)) return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((item) => item.address === address));
}
