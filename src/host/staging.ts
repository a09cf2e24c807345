import { randomBytes } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { errnoOf } from "../lib/index.ts";
import type { StoreLayout } from "./layout.ts";
import type { StoreWriter } from "./store-writer.ts";

/** A path below `incoming/` that nobody else uses. */
export const incomingPath = (layout: StoreLayout): string => join(layout.incoming, randomBytes(12).toString("hex"));

/**
 * Lets `fill` make a directory in `incoming/` and renames it to `target`, which thereby appears complete. When `target` is there already,
 * somebody finished the same thing, and the new one is dropped; with `replace`, the old one is damaged, and gives way once the new one is
 * complete. Nothing stays behind when `fill` fails.
 */
export async function publishDirectory(
  layout: StoreLayout,
  { target, replace = false }: { target: string; replace?: boolean },
  fill: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = incomingPath(layout);
  try {
    await mkdir(directory, { mode: 0o755 });
    await fill(directory);
    if (replace) await moveToTrash(layout, target);
    await rename(directory, target);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    if (["EEXIST", "ENOTEMPTY"].includes(errnoOf(error) ?? "")) return;
    throw error;
  }
}

/** A path below `trash/` that nobody else uses. */
export const trashPath = (layout: StoreLayout, path: string): string =>
  join(layout.trash, `${basename(path).slice(0, 64)}.${randomBytes(6).toString("hex")}`);

/** Out of sight: packages that are damaged and that no tree needs. */
export const dropPackages = ({ store, exclusive }: StoreWriter, keys: Iterable<string>): Promise<void> =>
  exclusive(async () => {
    for (const key of keys) await moveToTrash(store.layout, join(store.layout.packages, key));
  });

/** Out of sight in one step; the bytes go with `emptyTrash`. False: it was not there. */
export async function moveToTrash(layout: StoreLayout, path: string): Promise<boolean> {
  try {
    await rename(path, trashPath(layout, path));
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
