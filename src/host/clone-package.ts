import { join } from "node:path";
import { errnoOf } from "../lib/index.ts";
import { contentPath, type PackageKey, packagePath, type StoreLayout } from "./layout.ts";
import type { PackageJob } from "./package-job.ts";
import { abandonPackage, assertIdentity, beginPackage, publishPackage } from "./publish-package.ts";
import { readPackageRecord } from "./record.ts";
import type { FileSharer } from "./share-files.ts";

/** `packages/<key>` from another package of the same tarball. False: the other one is damaged, and cannot be used. */
export async function clonePackage(
  layout: StoreLayout,
  job: PackageJob,
  { donor, sharer }: { donor: PackageKey; sharer: FileSharer },
): Promise<boolean> {
  const record = await readPackageRecord(layout, donor);
  if (record?.integrity !== job.record.integrity) return false;
  assertIdentity(job.record, record);
  try {
    sharer.share(join(packagePath(layout, donor), contentPath(record.name)), beginPackage(job), record.files);
    publishPackage(job, record.files);
    return true;
  } catch (error) {
    abandonPackage(job);
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
