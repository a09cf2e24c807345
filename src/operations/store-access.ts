import type { BlobStore } from "../blobs/index.ts";

/** The blob stores that this process was told how to reach, by name. */
export interface StoreAccess {
  readonly names: readonly string[];
  /** Opened once. Throws `E_INPUT` for a name that is none, or what keeps the store from being used. */
  open(name: string): Promise<BlobStore>;
}
