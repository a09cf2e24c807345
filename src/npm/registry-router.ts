import type { PackageName } from "../contract/index.ts";
import { scopeOf } from "../contract/index.ts";
import {
  createRegistryClient,
  type PackumentAnswer,
  type RegistryClient,
  type RegistryClientOptions,
  type SingleRegistryClient,
} from "./registry-client.ts";
import { matchesPattern, type RegistryConfig } from "./registry-config.ts";

/** Several registries, of which each name has exactly one. */
export interface RegistryRouter extends RegistryClient {
  /** The default first. */
  readonly clients: readonly SingleRegistryClient[];
  clientOf(name: PackageName): SingleRegistryClient;
}

/**
 * A client over the default registry and those that claim scopes or names. A name belongs to the registry that claims it (an exact name over a pattern, the longer
 * pattern over the shorter, any of them over a scope), else to the default, and is asked for nowhere else, also when it is not there.
 */
export function createRegistryRouter(
  { main, others }: { main: RegistryConfig; others: readonly RegistryConfig[] },
  options: Omit<RegistryClientOptions, "registry" | "config" | "tarballOrigins"> = {},
): RegistryRouter {
  const clients = [main, ...others].map((config) => createRegistryClient({ ...options, config }));
  const [fallback] = clients as [SingleRegistryClient];
  const clientOf = (name: PackageName): SingleRegistryClient => claimant(clients, name) ?? fallback;
  return {
    clients,
    clientOf,
    host: fallback.host,
    hostOf: (name) => clientOf(name).host,
    tarball: (url, request) => clientOf(request.name).tarball(url, request),
    async packument(name, request = {}) {
      const client = clientOf(name);
      // An ETag says something to the registry that gave it, and to no other.
      const mark = `${client.config.name} ${client.config.url.href} `;
      const { etag } = request;
      const own = etag?.startsWith(mark) ? etag.slice(mark.length) : undefined;
      const answer: PackumentAnswer = await client.packument(name, { ...request, etag: own });
      return answer.kind === "ok" && answer.etag !== undefined ? { ...answer, etag: `${mark}${answer.etag}` } : answer;
    },
  };
}

function claimant(clients: readonly SingleRegistryClient[], name: PackageName): SingleRegistryClient | undefined {
  let best: { client: SingleRegistryClient; weight: number } | undefined;
  for (const client of clients) {
    const weight = claimOn(client.config, name);
    if (weight > (best?.weight ?? 0)) best = { client, weight };
  }
  return best?.client;
}

/** How strongly a registry claims a name; 0: not at all. */
function claimOn({ scopes, names }: RegistryConfig, name: PackageName): number {
  const scope = scopeOf(name)?.toLowerCase();
  const byScope = scope !== undefined && scopes.some((each) => each.toLowerCase() === scope) ? 1 : 0;
  const matching = names.filter((pattern) => matchesPattern(name, pattern));
  return Math.max(
    byScope,
    ...matching.map((pattern) => 1 + pattern.replaceAll("*", "").length + (pattern.includes("*") ? 0 : 1000)),
  );
}
