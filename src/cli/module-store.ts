import { join } from "node:path";
import { LarderError } from "../contract/bare.ts";
import type { ServerConfig } from "../server/index.ts";

type OtherStores = NonNullable<ServerConfig["otherStores"]>;
type OpenStore = OtherStores[string];

/**
 * `NAME=MODULE`: a driver from somebody else's package or file, which exports `openBlobStore({ directory })`. Imported when it is first needed. `directory` is
 * for files of its own, if it has any; it is not made.
 */
export function moduleStores(
  module: { name: string; specifier: string } | undefined,
  { cwd, dataDirectory }: { cwd: string; dataDirectory: string },
): OtherStores {
  if (module === undefined) return {};
  const { name, specifier } = module;
  return {
    async [name]() {
      const { openBlobStore } = await importDriver(specifier, cwd);
      return await openBlobStore({ directory: join(dataDirectory, "control", `blobs-${name}`) });
    },
  };
}

interface Driver {
  openBlobStore(context: { directory: string }): ReturnType<OpenStore>;
}

async function importDriver(specifier: string, cwd: string): Promise<Driver> {
  const refused = (why: string, cause?: unknown) =>
    new LarderError("E_CONFIG", `The blob store driver ${specifier} ${why}.`, {
      hint: "Give a package that is installed in the working directory, or a path from there; docs/storage.md has an example.",
      cause,
    });
  let driver: Partial<Driver>;
  try {
    driver = (await import(Bun.resolveSync(specifier, cwd))) as Partial<Driver>;
  } catch (error) {
    throw refused(`cannot be loaded: ${(error as Error).message}`, error);
  }
  if (typeof driver.openBlobStore !== "function") throw refused("exports no function `openBlobStore`");
  return driver as Driver;
}
