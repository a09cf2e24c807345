import { LarderError } from "../contract/index.ts";
import { badAnswer } from "./registry-error.ts";

const npmHost = "registry.npmjs.org";

/**
 * Where a tarball is fetched from. As npm does, an address at registry.npmjs.org is taken to mean the configured registry, which may be a mirror of it, and one
 * at the registry's own host is fetched the way the registry is. Any other origin must have been listed.
 */
export function tarballAddress(
  address: string,
  registry: URL,
  { origins, label }: { origins: readonly string[]; label: string },
): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw badAnswer(label, registry.host, "its tarball's address is not one that can be fetched");
  }
  if (url.origin === registry.origin || origins.includes(url.origin)) return url;
  if (url.hostname === registry.hostname && url.protocol === "http:" && url.port === "") {
    return new URL(url.pathname + url.search, registry);
  }
  if (url.host === npmHost) return new URL(`.${url.pathname}${url.search}`, registry);
  throw new LarderError(
    "E_REGISTRY_ANSWER",
    `The registry ${registry.host} says that the tarball of ${label} is at ${url.host}.`,
    {
      hint: `Larder fetches tarballs from the registry's own address only. If you trust it: larder registry set NAME --tarball-origin ${url.origin}`,
      details: { subject: label, registry: registry.host, origin: url.origin },
    },
  );
}
