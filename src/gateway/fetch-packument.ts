import type { PackageName } from "../contract/index.ts";
import type { Packument, RegistryClient } from "../npm/index.ts";
import type { PackumentCache } from "./packument-cache.ts";

export interface PackumentSource {
  client: RegistryClient;
  cache?: PackumentCache | undefined;
}

export interface FetchOptions {
  signal?: AbortSignal | undefined;
  /** Whether an abbreviated document says enough; the whole one is asked for otherwise. */
  suffices?: (packument: Packument) => boolean;
}

/** As the registry has it now, or confirms it. `undefined`: it has none. Rejects as the client does. */
export async function fetchPackument(
  { client, cache }: PackumentSource,
  name: PackageName,
  { signal, suffices = () => true }: FetchOptions = {},
): Promise<Packument | undefined> {
  const cached = cache?.get(name);
  const ask = async (full: boolean): Promise<Packument | undefined> => {
    // Each form has an ETag of its own.
    const etag = cached !== undefined && full === isFull(cached.body) ? cached.etag : undefined;
    const answer = await client.packument(name, { ...(signal && { signal }), etag, full });
    if (answer.kind === "absent") return undefined;
    if (answer.kind === "notModified") return cached?.body;
    if (answer.etag !== undefined) cache?.put(name, { etag: answer.etag, body: answer.body });
    return answer.body;
  };
  // What was needed whole before will be again.
  const first = await ask(cached !== undefined && isFull(cached.body));
  return first === undefined || isFull(first) || suffices(first) ? first : await ask(true);
}

const isFull = ({ time }: Packument): boolean => time !== undefined;
