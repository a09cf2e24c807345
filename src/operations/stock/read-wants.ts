import { type EnvironmentName, type Generation, type Manifest, type Platform, parseManifest } from "../../contract/index.ts";
import { currentGeneration, getManifest, type Queryable } from "../../db/index.ts";
import { wantedPlatforms } from "../wanted-platforms.ts";

/** What an environment's hosts are to be given now. */
export interface Wants {
  generation: Generation;
  manifest: Manifest;
  platforms: Platform[];
}

/** `undefined` as long as there is no generation. */
export async function readWants(
  tx: Queryable,
  { environment, platforms }: { environment: EnvironmentName; platforms: readonly Platform[] },
): Promise<Wants | undefined> {
  const generation = await currentGeneration(tx, environment);
  const stored = generation && (await getManifest(tx, generation.lockfileHash));
  if (generation === undefined || stored === undefined) return undefined;
  return {
    generation,
    manifest: parseManifest(stored.body),
    platforms: await wantedPlatforms(tx, { environment, platforms }),
  };
}
