import type { HostStore } from "../host/index.ts";
import { type Cell, type CellNeeds, isOver, openCell, tasksFor } from "./cell.ts";
import { visibleFolders } from "./resolution-boundary.ts";
import { defaultLimits } from "./run-request.ts";

/** Where runs get their cells from. Disposal closes the one that is kept ready. */
export interface CellSupply extends AsyncDisposable {
  take(needs: CellNeeds): Promise<Cell>;
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

  const restock = ({ hold, executables }: CellNeeds) => {
    if (!keepReady || closed || spare !== undefined || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      // The next run opens one itself, and says what is in the way.
      const { processes } = defaultLimits;
      spare = openCell(store, { hold, executables, processes, idle: true }).catch(() => undefined);
    }, restockMs);
  };

  const takeSpare = async (needs: CellNeeds): Promise<Cell | undefined> => {
    const waiting = spare;
    spare = undefined;
    const cell = await waiting;
    if (cell === undefined) return undefined;
    cell.directory.occupy();
    if (fits(cell, needs, store)) return cell;
    await cell[Symbol.asyncDispose]();
    return undefined;
  };

  return {
    async take(needs) {
      clearTimeout(timer);
      timer = undefined;
      const cell = (await takeSpare(needs)) ?? (await openCell(store, { ...needs, idle: false }));
      return {
        ...cell,
        async [Symbol.asyncDispose]() {
          await cell[Symbol.asyncDispose]();
          restock(needs);
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

/** Its shell waits still, nothing that is needed is hidden from it, and nothing came since that should be. */
function fits({ child, hidden, seen, hold, tasks, directory }: Cell, needs: CellNeeds, store: HostStore): boolean {
  const known = [...hidden, ...seen];
  return (
    !isOver(child) &&
    hold === needs.hold &&
    tasks >= tasksFor(needs.processes) &&
    !needs.executables.some((file) => hidden.some((folder) => file.startsWith(`${folder}/`))) &&
    visibleFolders(store.directory, directory.path).every((folder) => known.includes(folder))
  );
}
