import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  exactVersionSchema,
  integritySchema,
  type LockfileHash,
  lockfileHashSchema,
  packageNameSchema,
  platformSchema,
} from "../contract/for-hosts.ts";
import { undefinedOn } from "../lib/index.ts";
import { isPackageKey, type PackageKey, packagePath, recordName, type StoreLayout, treePath } from "./layout.ts";

export const recordFormat = 1;
const keySchema = z
  .string()
  .refine(isPackageKey, "not a package key")
  .transform((key) => key as PackageKey);
const linkSchema = z.object({ alias: packageNameSchema, key: keySchema, name: packageNameSchema });

/** A file as it was unpacked: what `verifyStore` compares with. */
const fileSchema = z.object({
  path: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  /** Hex. */
  sha256: z.string(),
  executable: z.literal(true).optional(),
});
export type RecordedFile = z.infer<typeof fileSchema>;

/** `packages/<key>/larder.json`. */
const packageRecordSchema = z.object({
  format: z.literal(recordFormat),
  name: packageNameSchema,
  version: exactVersionSchema,
  integrity: integritySchema,
  /** The boot of the machine that this was written in: before its end, nothing forced it to disk. */
  bootId: z.string(),
  links: z.array(linkSchema),
  files: z.array(fileSchema),
});
export type PackageRecord = z.infer<typeof packageRecordSchema>;

/** `trees/<lockfileHash>/larder.json`: what keeps its packages from being swept. */
const treeRecordSchema = z.object({
  format: z.literal(recordFormat),
  lockfileHash: lockfileHashSchema,
  platform: platformSchema,
  bootId: z.string(),
  packages: z.array(
    z.object({ key: keySchema, name: packageNameSchema, version: exactVersionSchema, integrity: integritySchema }),
  ),
  roots: z.array(linkSchema),
});
export type TreeRecord = z.infer<typeof treeRecordSchema>;

export const formatTreeRecord = (record: Omit<TreeRecord, "format">): string =>
  JSON.stringify({ format: recordFormat, ...record });

/** `undefined`: missing or damaged, which a verification reports and a reconcile repairs. */
export const readPackageRecord = (layout: StoreLayout, key: PackageKey): Promise<PackageRecord | undefined> =>
  readRecord(packagePath(layout, key), packageRecordSchema);
export const readTreeRecord = (layout: StoreLayout, lockfileHash: LockfileHash): Promise<TreeRecord | undefined> =>
  readRecord(treePath(layout, lockfileHash), treeRecordSchema);

async function readRecord<T>(directory: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await undefinedOn(["ENOENT", "ENOTDIR", "EISDIR"], readFile(join(directory, recordName), "utf8"));
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    // Not JSON: damaged.
    return undefined;
  }
}

/** Changes with every start of the machine; "" where the system does not say. */
export async function currentBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
}
