import { LarderError } from "../../contract/index.ts";
import type { StoredRegistry } from "../../db/index.ts";
import { AddressRefused, type OutboundGuard } from "../../npm/index.ts";

/**
 * What a registry names must be places that Larder would connect to; looked at when it is saved, and again at each connection. A name that stands for no address now
 * passes: it may later. Throws `E_REGISTRY_ADDRESS`.
 */
export async function assertAllowedAddresses(
  { name, url, tarballOrigins }: Pick<StoredRegistry, "name" | "url" | "tarballOrigins">,
  guard: OutboundGuard,
): Promise<void> {
  const trusted = new Set([new URL(url).origin, ...tarballOrigins]);
  for (const address of [url, ...tarballOrigins]) {
    try {
      await guard.check(new URL(address), trusted);
    } catch (error) {
      if (!(error instanceof AddressRefused)) continue;
      throw new LarderError(
        "E_REGISTRY_ADDRESS",
        `The registry ${name} cannot be at ${new URL(address).host}: it ${error.message}.`,
        {
          hint: "Give the registry's own http or https address.",
          details: { registry: name },
          cause: error,
        },
      );
    }
  }
}
