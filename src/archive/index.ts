// Reads an npm tarball, the same way for admission and for hosts.
// Invariants: nothing but regular files at safe, distinct relative paths reaches the sink; caps count what was decompressed, and stop before
// memory follows; the digest covers every byte that was sent; what two readers could understand differently is refused.
// Left to others: where files go (the sink), whether name and version are the expected ones.

export { type ArchiveLimits, defaultArchiveLimits } from "./archive-limits.ts";
export type { ArchiveFile, ArchiveSink } from "./archive-sink.ts";
export type { PackageJson } from "./package-json.ts";
export { type ArchiveSummary, type ReadTarballOptions, readTarball, readTarballNow } from "./read-tarball.ts";
export type { ArchiveRule } from "./refusal.ts";
