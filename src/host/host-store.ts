import { lstat, mkdir, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { formatPlatform, LarderError, type LockfileHash, type Platform } from "../contract/for-hosts.ts";
import { type Clock, type Liveness, type Logger, openLiveness, silentLogger, systemClock } from "../lib/index.ts";
import { detectPlatform } from "./detect-platform.ts";
import { describeDiskErrors } from "./disk-error.ts";
import { layoutOf, type StoreLayout, storeFolders } from "./layout.ts";
import { readPlatform } from "./state.ts";
import type { Damage } from "./verify.ts";

/** An open store. Holds no lock; disposing it ends the leases taken through it. */
export interface HostStore extends AsyncDisposable {
  /** Absolute, without symbolic links. */
  readonly directory: string;
  readonly layout: StoreLayout;
  /** A store has one platform for life: its trees and keys depend on it. */
  readonly platform: Platform;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Looked at by this process since the machine started, because nobody else had: what was wrong. */
  readonly checkedTrees: Map<LockfileHash, Promise<readonly Damage[]>>;
  /** The socket that proves to sweeps that this process lives; made with the first lease. */
  liveness(): Promise<Liveness>;
}

export interface HostStoreOptions {
  directory: string;
  /** Default: this machine's. */
  platform?: Platform;
  clock?: Clock;
  logger?: Logger;
}

/**
 * Makes the folders that are missing. Throws `E_PLATFORM` for a store that was built for another platform, `E_PERMISSION` for a directory that
 * everyone may write, and the disk's errors.
 */
export async function openHostStore(options: HostStoreOptions): Promise<HostStore> {
  const requested = resolve(options.directory);
  const directory = await describeDiskErrors(requested, async () => {
    await mkdir(requested, { recursive: true, mode: 0o755 });
    return realpath(requested);
  });
  const layout = layoutOf(directory);
  await describeDiskErrors(directory, () => prepareFolders(directory));
  const platform = options.platform ?? detectPlatform();
  await assertSamePlatform(layout, platform);
  let liveness: Promise<Liveness> | undefined;
  return {
    directory,
    layout,
    platform,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    checkedTrees: new Map(),
    liveness: () => {
      liveness ??= openLiveness(layout.leases).catch((error) => {
        // The disk may have room for it next time.
        liveness = undefined;
        throw error;
      });
      return liveness;
    },
    async [Symbol.asyncDispose]() {
      const opened = await liveness?.catch(() => undefined);
      liveness = undefined;
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

async function prepareFolders(directory: string): Promise<void> {
  const { mode } = await lstat(directory);
  if ((mode & 0o002) !== 0) {
    throw new LarderError("E_PERMISSION", `Everyone may write to ${directory}.`, {
      hint: `Run: chmod o-w ${directory}`,
      details: { path: directory },
    });
  }
  for (const folder of storeFolders) {
    const path = join(directory, folder);
    await mkdir(path, { recursive: true, mode: 0o755 });
    if (!(await lstat(path)).isDirectory()) {
      throw new LarderError("E_CONFIG", `${path} is not a folder.`, {
        hint: "A store's folders cannot be symbolic links: move the whole data directory instead.",
        details: { path },
      });
    }
  }
}

async function assertSamePlatform(layout: StoreLayout, platform: Platform): Promise<void> {
  const recorded = await readPlatform(layout);
  if (recorded === undefined || formatPlatform(recorded) === formatPlatform(platform)) return;
  throw new LarderError(
    "E_PLATFORM",
    `The store ${layout.directory} was built for ${formatPlatform(recorded)}, this host is ${formatPlatform(platform)}.`,
    { hint: "Give this host a data directory of its own.", details: { path: layout.directory } },
  );
}
