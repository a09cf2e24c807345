import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";

/** Why network namespaces cannot be used here; `undefined` when they can. */
export function whyNoNetworkNamespaces(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  const name = newName();
  const failed = tryRun("ip", ["netns", "add", name]) ?? tryRun("ip", ["netns", "exec", name, "true"]);
  tryRun("ip", ["netns", "delete", name]);
  return failed;
}

/** Why `unshare --net` cannot be used here; `undefined` when it can. */
export const whyNoUnshare = (): string | undefined =>
  process.platform === "linux" ? tryRun("unshare", ["--net", "true"]) : "network namespaces are Linux's";

export interface FreeNetwork extends AsyncDisposable {
  /** Before a command: runs it in the namespace. */
  within: string[];
  /** This side's address, the only one besides loopback that the namespace reaches. */
  address: string;
  /** Both ends, as routes name them: "10.213.7.64/30". */
  subnet: string;
}

/** A network namespace joined to this one by a pair of virtual cables, with no route to anywhere else and no name server. */
export async function openFreeNetwork(): Promise<FreeNetwork> {
  const name = newName();
  const [outer, inner] = [`${name}a`, `${name}b`];
  const { address, peer, subnet } = freeSubnet();
  const dispose = async () => {
    tryRun("ip", ["link", "delete", outer]);
    tryRun("ip", ["netns", "delete", name]);
  };
  try {
    for (const line of [
      `netns add ${name}`,
      `link add ${outer} type veth peer name ${inner} netns ${name}`,
      `address add ${address}/30 dev ${outer}`,
      `link set ${outer} up`,
      `-n ${name} address add ${peer}/30 dev ${inner}`,
      `-n ${name} link set ${inner} up`,
      `-n ${name} link set lo up`,
    ]) {
      const failed = tryRun("ip", line.split(" "));
      if (failed !== undefined) throw new Error(failed);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return { within: ["ip", "netns", "exec", name], address, subnet, [Symbol.asyncDispose]: dispose };
}

/** Two addresses of a subnet of four that no device has: two devices with one address would take each other's answers. Killed tests leave devices behind. */
function freeSubnet(): { address: string; peer: string; subnet: string } {
  for (;;) {
    const [third, fourth] = [...randomBytes(2)] as [number, number];
    const base = fourth - (fourth % 4);
    const at = (host: number) => `10.213.${third}.${base + host}`;
    const subnet = `${at(0)}/30`;
    if (said("ip", ["-o", "-4", "address", "show", "to", subnet]) === "") return { address: at(1), peer: at(2), subnet };
  }
}

/** At most 15 characters with the cable's letter: the kernel's limit for a device's name. */
const newName = (): string => `larder${randomBytes(4).toString("hex")}`;

/** What went wrong, in words; `undefined` when nothing did. */
function tryRun(command: string, args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: 10_000 });
  if (error) return `${command} cannot be started: ${error.message}`;
  return status === 0 ? undefined : `${command} ${args.slice(0, 2).join(" ")}: ${stderr.trim() || `ended with ${status}`}`;
}

const said = (command: string, args: string[]): string =>
  spawnSync(command, args, { encoding: "utf8", timeout: 10_000 }).stdout?.trim() ?? "";
