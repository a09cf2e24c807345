import ipaddr from "ipaddr.js";

/** `private`: this machine, a network around it, or addresses that the Internet does not route and some networks use. `never`: no registry is there, and something that gives away secrets may be. */
export type AddressClass = "public" | "private" | "never";

/** Where clouds answer their machines, outside the link-local ranges. */
const metadata = new Set(["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]);

const privateRanges = new Set(["loopback", "private", "uniqueLocal", "carrierGradeNat", "benchmarking", "reserved"]);

/** What kind of place an IP address is; an IPv6 address that carries an IPv4 one counts as that. */
export function classifyAddress(text: string): AddressClass {
  if (!ipaddr.isValid(text)) return "never";
  const address = embedded(ipaddr.parse(text.replace(/%.*$/, "")));
  if (metadata.has(address.toString())) return "never";
  const range = address.range();
  if (range === "unicast") return "public";
  return privateRanges.has(range) ? "private" : "never";
}

function embedded(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (address.kind() === "ipv4") return address;
  const six = address as ipaddr.IPv6;
  const bytes = six.toByteArray();
  const range = six.range();
  if (range === "6to4") return new ipaddr.IPv4(bytes.slice(2, 6));
  const isCompatible = bytes.slice(0, 12).every((byte) => byte === 0) && range !== "loopback" && range !== "unspecified";
  if (isCompatible || range === "ipv4Mapped" || range === "rfc6052" || range === "rfc6145")
    return new ipaddr.IPv4(bytes.slice(12));
  return six;
}
