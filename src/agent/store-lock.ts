import { type HostStore, openStoreWriter, type StoreWriter } from "../host/index.ts";

/** The one writer of an agent's store, taken when it is first needed and kept until this is disposed. */
export interface StoreLock extends AsyncDisposable {
  /** Throws what keeps it from being taken now. Tries for `waitMs`, default 0. */
  writer(waitMs?: number): Promise<StoreWriter>;
}

export function createStoreLock(store: HostStore): StoreLock {
  let opening: Promise<StoreWriter> | undefined;
  return {
    writer(waitMs = 0) {
      opening ??= openStoreWriter(store, { purpose: "larder agent", waitMs }).catch((error) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    async [Symbol.asyncDispose]() {
      const writer = await opening?.catch(() => undefined);
      await writer?.[Symbol.asyncDispose]();
    },
  };
}
