import { ensureMeta, getMeta, setMeta } from "./meta.ts";
import type { Queryable } from "./queryable.ts";

const metaKey = "active-store";

/** The name of the blob store that new blobs go to; `undefined` before any server has started. Read it under election: a migration may have just moved it. */
export const getActiveStore = (tx: Queryable): Promise<string | undefined> => getMeta(tx, metaKey);

/** The recorded one, or `store` when none is: of many replicas that start at once, one wins. */
export const ensureActiveStore = (tx: Queryable, store: string): Promise<string> => ensureMeta(tx, metaKey, store);

/** In the transaction that checked the epoch, when every blob is in `store`. */
export const setActiveStore = (tx: Queryable, store: string): Promise<void> => setMeta(tx, metaKey, store);
