import { type ArchiveSummary, readTarball, readTarballNow } from "../archive/index.ts";
import { createFileWriter, type FileWriter } from "./file-writer.ts";
import type { PackageJob } from "./package-job.ts";
import { abandonPackage, assertIdentity, beginPackage, publishPackage } from "./publish-package.ts";

/**
 * `packages/<key>` from its tarball: bytes against the manifest's integrity (`E_INTEGRITY`), the name and version inside against the node's
 * (`E_TARBALL_IDENTITY`), the archive's rules. Answers how many packed bytes there were. Nothing stays in `incoming/` when it fails.
 */
export async function unpackPackage(
  job: PackageJob,
  content: AsyncIterable<Uint8Array> | Uint8Array,
  signal?: AbortSignal,
): Promise<number> {
  const writer = begin(job);
  try {
    return complete(job, writer, await readTarball(content, writer, { ...expectation(job), ...(signal ? { signal } : {}) }));
  } catch (error) {
    abandon(job, writer);
    throw error;
  }
}

/** The same without waiting; `undefined`, and nothing done, for what is too large to be unpacked at once. */
export function unpackPackageNow(job: PackageJob, content: Uint8Array): number | undefined {
  const writer = begin(job);
  try {
    const summary = readTarballNow(content, writer, expectation(job));
    if (summary) return complete(job, writer, summary);
  } catch (error) {
    abandon(job, writer);
    throw error;
  }
  abandon(job, writer);
  return undefined;
}

const expectation = ({ record: { name, version, integrity } }: PackageJob) => ({
  label: `${name}@${version}`,
  expected: integrity,
});

function begin(job: PackageJob): FileWriter {
  try {
    return createFileWriter(beginPackage(job));
  } catch (error) {
    abandonPackage(job);
    throw error;
  }
}

function complete(job: PackageJob, writer: FileWriter, { packageJson, compressedBytes }: ArchiveSummary): number {
  assertIdentity(job.record, packageJson);
  publishPackage(job, writer.files);
  return compressedBytes;
}

function abandon(job: PackageJob, writer: FileWriter): void {
  writer.close();
  abandonPackage(job);
}
