import { isPackageName } from "../../contract/index.ts";
import type { RegistryRouter, SingleRegistryClient } from "../../npm/index.ts";

const tellingLength = 4;

/**
 * Who is asked about a text that somebody types: whoever claims names that it may become, and nobody else then, for what is typed of a private name is private too.
 * Otherwise every registry.
 */
export function registriesToAsk(router: RegistryRouter, text: string): readonly SingleRegistryClient[] {
  const claimants = router.clients.filter(({ config }) => {
    const beginnings = [...config.scopes.map((scope) => `${scope}/`), ...config.names.map((name) => name.replace(/\*.*$/, ""))];
    return beginnings.some((beginning) => beginning !== "" && mayBecome(text.toLowerCase(), beginning.toLowerCase()));
  });
  const [fallback] = router.clients;
  const owner = isPackageName(text) ? router.clientOf(text) : undefined;
  if (claimants.length > 0) return owner && owner !== fallback && !claimants.includes(owner) ? [...claimants, owner] : claimants;
  return owner && owner !== fallback ? [owner] : router.clients;
}

/** Short beginnings of names without a scope tell nothing, and are anybody's. */
const mayBecome = (text: string, beginning: string): boolean =>
  text.startsWith(beginning) || (beginning.startsWith(text) && (text.startsWith("@") || text.length >= tellingLength));
