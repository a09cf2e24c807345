import { LarderError } from "../contract/for-hosts.ts";
import { type ArchiveLimits, defaultArchiveLimits } from "./archive-limits.ts";
import { collectingSink } from "./collecting-sink.test-support.ts";
import { readTarball } from "./read-tarball.ts";

export const label = "demo@1.0.0";

export async function read(source: Uint8Array | AsyncIterable<Uint8Array>, options: { limits?: Partial<ArchiveLimits> } = {}) {
  const sink = collectingSink();
  const summary = await readTarball(source, sink, { label, limits: { ...defaultArchiveLimits, ...options.limits } });
  return { ...summary, paths: [...sink.files.keys()], contents: sink.files };
}

export async function refusal(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  limits: Partial<ArchiveLimits> = {},
): Promise<LarderError> {
  try {
    await read(source, { limits });
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error("the tarball passed");
}
