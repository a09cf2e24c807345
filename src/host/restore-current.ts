import { hasTree, lossOfCurrent } from "./current-tree.ts";
import { flipCurrent } from "./flip.ts";
import { readFlips } from "./state.ts";
import type { StoreWriter } from "./store-writer.ts";

/** Has `current` name the tree of the last flip again, if it names none and that tree is here. */
export async function restoreCurrent(writer: StoreWriter): Promise<void> {
  const { store } = writer;
  if ((await lossOfCurrent(store)) === undefined) return;
  const last = (await readFlips(store)).at(-1);
  if (last && (await hasTree(store, last.lockfileHash))) await flipCurrent(writer, last);
}
