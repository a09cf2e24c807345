import { statfs } from "node:fs/promises";
import { hasCode, LarderError, type Manifest, nodeOf } from "../contract/for-hosts.ts";
import { type HostStore, missingPackages, type TreePlan } from "../host/index.ts";

/** A disk that is full, with what the tree under way still needs and what there is; anything else as it is. */
export async function sayHowMuch(
  thrown: unknown,
  { store, building }: { store: HostStore; building: { manifest: Manifest; plan: TreePlan } | undefined },
): Promise<unknown> {
  if (!hasCode(thrown, "E_NO_SPACE") || building === undefined) return thrown;
  const missing = await missingPackages(store, building.plan).catch(() => []);
  const neededBytes = missing.reduce((total, { nodeId }) => total + (nodeOf(building.manifest, nodeId).unpackedBytes ?? 0), 0);
  const free = await statfs(store.directory).catch(() => undefined);
  const freeBytes = free && free.bavail * free.bsize;
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  const needs =
    neededBytes > 0 ? `${missing.length} packages are still to be unpacked, about ${mebibytes(neededBytes)}` : undefined;
  const has = freeBytes === undefined ? undefined : `${mebibytes(freeBytes)} and ${free?.ffree} inodes are free`;
  const facts = [needs, has].filter((fact) => fact !== undefined).join("; ");
  return new LarderError(thrown.code, `${thrown.message} ${facts ? `${facts}.` : ""}`.trim(), {
    hint: thrown.hint,
    retryable: true,
    details: { ...thrown.details, neededBytes, ...(freeBytes === undefined ? {} : { freeBytes, freeInodes: free?.ffree }) },
    cause: thrown,
  });
}
