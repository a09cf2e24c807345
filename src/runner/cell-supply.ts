import type { HostStore } from "../host/index.ts";
import { type Cell, isOver, openCell } from "./cell.ts";
import type { Holding } from "./launch.ts";
import { visibleFolders } from "./resolution-boundary.ts";

/** Where runs get their cells from. Disposal closes the one that is kept ready. */
export interface CellSupply extends AsyncDisposable {
  take(holding: Holding, needed: readonly string[]): Promise<Cell>;
}

/** Long enough after a run for its caller to have the result first. */
const restockMs = 20;

/**
 * Making namespaces takes as long as starting Bun. With `keepReady` a cell is opened for the next run when one has ended, so that a process that
 * runs scripts now and then pays for it while nobody waits.
 */
export function createCellSupply(store: HostStore, { keepReady }: { keepReady: boolean }): CellSupply {
  let spare: Promise<Cell | undefined> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const restock = (holding: Holding, needed: readonly string[]) => {
    if (!keepReady || closed || spare !== undefined || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      // The next run opens one itself, and says what is in the way.
      spare = openCell(store, { holding, needed, idle: true }).catch(() => undefined);
    }, restockMs);
  };

  const takeSpare = async (holding: Holding, needed: readonly string[]): Promise<Cell | undefined> => {
    const waiting = spare;
    spare = undefined;
    const cell = await waiting;
    if (cell === undefined) return undefined;
    cell.directory.occupy();
    if (fits(cell, { store, holding, needed })) return cell;
    await cell[Symbol.asyncDispose]();
    return undefined;
  };

  return {
    async take(holding, needed) {
      clearTimeout(timer);
      timer = undefined;
      const cell = (await takeSpare(holding, needed)) ?? (await openCell(store, { holding, needed, idle: false }));
      return {
        ...cell,
        async [Symbol.asyncDispose]() {
          await cell[Symbol.asyncDispose]();
          restock(holding, needed);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      await (await spare)?.[Symbol.asyncDispose]();
      spare = undefined;
    },
  };
}

interface Wanted {
  store: HostStore;
  holding: Holding;
  needed: readonly string[];
}

/** Its shell waits still, nothing that is needed is hidden from it, and nothing came since that should be. */
function fits({ child, hidden, seen, holding, directory }: Cell, wanted: Wanted): boolean {
  const known = [...hidden, ...seen];
  return (
    !isOver(child) &&
    holding === wanted.holding &&
    !wanted.needed.some((file) => hidden.some((folder) => file.startsWith(`${folder}/`))) &&
    visibleFolders(wanted.store.directory, directory.path).every((folder) => known.includes(folder))
  );
}
