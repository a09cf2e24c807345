import { type EnvironmentName, formatPlatform, type Platform } from "../contract/index.ts";
import { listHostPlatforms, type Queryable } from "../db/index.ts";

/** What is fetched for: the configured platforms, and those of the environment's hosts. */
export async function wantedPlatforms(
  tx: Queryable,
  { environment, platforms }: { environment: EnvironmentName; platforms: readonly Platform[] },
): Promise<Platform[]> {
  const all = [...platforms, ...(await listHostPlatforms(tx, environment))];
  return [...new Map(all.map((platform) => [formatPlatform(platform), platform])).values()];
}
