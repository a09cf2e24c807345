import { rename, rm, symlink } from "node:fs/promises";
import { LarderError, type LockfileHash } from "../contract/for-hosts.ts";
import { failpoint, syncDirectory, timestamp } from "../lib/index.ts";
import { currentHash, type TreeRef, treeRef } from "./current-tree.ts";
import { describeDiskErrors } from "./disk-error.ts";
import { currentTarget, type StoreLayout } from "./layout.ts";
import { incomingPath } from "./staging.ts";
import { readAccepted, readFlips, writeFlips } from "./state.ts";
import type { StoreWriter } from "./store-writer.ts";

const rememberedFlips = 200;

/**
 * Makes `current` serve the tree of `lockfileHash` as `generation`. Throws `E_ROLLBACK` for a lower generation than any before, `E_EQUIVOCATION` for
 * another tree under a known number, `E_NOT_READY` when the tree is not there. The same flip again changes nothing.
 */
export function flipCurrent(
  writer: StoreWriter,
  { generation, lockfileHash }: { generation: number; lockfileHash: LockfileHash },
): Promise<TreeRef> {
  const { store } = writer;
  return writer.exclusive(() =>
    describeDiskErrors(store.layout.current, async () => {
      const flips = await readFlips(store);
      const highest = flips.at(-1);
      assertForward({ generation, lockfileHash }, [highest, await readAccepted(store)]);
      if (!(await treeRef(store, lockfileHash, flips))) {
        throw new LarderError("E_NOT_READY", `The tree of generation ${generation} is not on this host.`, {
          hint: "Run: larder reconcile",
          retryable: true,
        });
      }
      const isNew = highest?.generation !== generation;
      const next = isNew ? [...flips, { generation, lockfileHash, at: timestamp(store.clock) }].slice(-rememberedFlips) : flips;
      await failpoint("flip:before-state");
      // Before the link: a reader that finds the new tree finds its generation too.
      if (isNew) await writeFlips(writer, next);
      if ((await currentHash(store)) !== lockfileHash) await replaceCurrent(store.layout, lockfileHash);
      const tree = await treeRef(store, lockfileHash, next);
      if (!tree) throw new Error(`the tree ${lockfileHash} vanished during its flip`);
      return tree;
    }),
  );
}

function assertForward(
  { generation, lockfileHash }: { generation: number; lockfileHash: LockfileHash },
  known: ({ generation: number; lockfileHash: LockfileHash } | undefined)[],
): void {
  const [flipped] = known;
  if (flipped && generation < flipped.generation) {
    throw new LarderError(
      "E_ROLLBACK",
      `This host serves generation ${flipped.generation} and does not go back to ${generation}.`,
      {
        hint: "A rollback is a new generation: larder rollback.",
        details: { offered: generation, accepted: flipped.generation },
      },
    );
  }
  for (const other of known) {
    if (other?.generation !== generation || other.lockfileHash === lockfileHash) continue;
    throw new LarderError("E_EQUIVOCATION", `Generation ${generation} is another tree on this host already.`, {
      hint: "Look for two control planes with one key, or a restored backup; this host stays as it is.",
      details: { generation, offered: lockfileHash, accepted: other.lockfileHash },
    });
  }
}

/** A link cannot be changed in place: a new one takes its name in one step. */
async function replaceCurrent(layout: StoreLayout, lockfileHash: LockfileHash): Promise<void> {
  const link = incomingPath(layout);
  try {
    await symlink(currentTarget(lockfileHash), link);
    await failpoint("flip:before-rename");
    await rename(link, layout.current);
  } catch (error) {
    await rm(link, { force: true });
    throw error;
  }
  await failpoint("flip:after-rename");
  await syncDirectory(layout.directory);
}
