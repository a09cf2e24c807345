import type { PackageName } from "../contract/index.ts";
import type { Packument, RegistryClient } from "../npm/index.ts";
import type { PackumentCache } from "./packument-cache.ts";

export interface PackumentSource {
  client: RegistryClient;
  cache?: PackumentCache | undefined;
  /** What was confirmed within this time is taken without asking again. */
  freshForMs?: number | undefined;
}

export interface FetchOptions {
  signal?: AbortSignal | undefined;
  /** Whether an abbreviated document says enough; the whole one is asked for otherwise. */
  suffices?: (packument: Packument) => boolean;
}

/** As the registry has it now, or confirms it. `undefined`: it has none. Rejects as the client does. */
export async function fetchPackument(
  { client, cache, freshForMs = 0 }: PackumentSource,
  name: PackageName,
  { signal, suffices = () => true }: FetchOptions = {},
): Promise<Packument | undefined> {
  const cached = cache?.get(name);
  const age = performance.now() - (cached?.confirmedAt ?? Number.NEGATIVE_INFINITY);
  if (cached !== undefined && age < freshForMs && (isFull(cached.body) || suffices(cached.body))) return cached.body;
  const ask = async (full: boolean): Promise<Packument | undefined> => {
    // Each form has an ETag of its own.
    const etag = cached !== undefined && full === isFull(cached.body) ? cached.etag : undefined;
    const answer = await client.packument(name, { ...(signal && { signal }), etag, full });
    if (answer.kind === "absent") return undefined;
    const confirmedAt = performance.now();
    if (answer.kind === "notModified") {
      if (cached) cache?.set(name, { ...cached, confirmedAt });
      return cached?.body;
    }
    if (answer.etag !== undefined) cache?.set(name, { etag: answer.etag, body: answer.body, confirmedAt });
    return answer.body;
  };
  // What was needed whole before will be again.
  const first = await ask(cached !== undefined && isFull(cached.body));
  return first === undefined || isFull(first) || suffices(first) ? first : await ask(true);
}

const isFull = ({ time }: Packument): boolean => time !== undefined;
