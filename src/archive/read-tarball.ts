import { createHash } from "node:crypto";
import { hasCode } from "../contract/bare.ts";
import type { Integrity } from "../contract/for-hosts.ts";
import { type ArchiveLimits, defaultArchiveLimits } from "./archive-limits.ts";
import type { ArchiveSink } from "./archive-sink.ts";
import { assertIntegrity, assertPackedSize, formatIntegrity } from "./check-packed.ts";
import { inflateNow, inflateStream, inflateWhole } from "./inflate.ts";
import type { PackageJson } from "./package-json.ts";
import { createPackageReader, type PackageReader, type PackageSummary } from "./package-reader.ts";
import { createRefusals, type Refusals } from "./refusal.ts";

export interface ArchiveSummary {
  /** Of the compressed bytes, all of them. */
  integrity: Integrity;
  compressedBytes: number;
  /** Of the files' content. */
  unpackedBytes: number;
  files: number;
  packageJson: PackageJson;
  /** Paths that Windows cannot hold; the first few. */
  awkwardPaths: string[];
}

export interface ReadTarballOptions {
  /** `name@version`, for messages. */
  label: string;
  limits?: ArchiveLimits;
  /** Throws `E_INTEGRITY` for other bytes, whatever else is wrong with them; a tarball of moderate size is checked before any file reaches the sink. */
  expected?: Integrity;
  signal?: AbortSignal;
}

/**
 * One pass over a gzipped tarball: SHA-512 of what was sent, gunzip, tar rules, caps. Throws `E_ARCHIVE` (`details: {entry, rule}`) or `E_TOO_LARGE`
 * (`details: {bytes, limit}`); the sink may have seen files by then, and must drop them.
 */
export async function readTarball(
  source: AsyncIterable<Uint8Array> | Uint8Array,
  sink: ArchiveSink,
  { label, limits = defaultArchiveLimits, expected, signal }: ReadTarballOptions,
): Promise<ArchiveSummary> {
  const refuse = createRefusals(label);
  const task: Task = { reader: createPackageReader(sink, limits, refuse), refuse, limits, label, expected, signal };
  if (source instanceof Uint8Array) {
    assertPackedSize(source.length, task);
    return readWhole(source, task);
  }
  const packed = openPacked(source, task);
  try {
    const whole = await packed.gather();
    return whole ? await readWhole(whole, task) : await readStream(packed, task);
  } finally {
    await packed.close();
  }
}

/**
 * `readTarball` without waiting: for small tarballs, and for threads that do nothing else. `undefined`: it is too large for that or not what its trailer claims;
 * the sink has seen nothing then, and `readTarball` says which.
 */
export function readTarballNow(
  whole: Uint8Array,
  sink: ArchiveSink,
  { label, limits = defaultArchiveLimits, expected }: Omit<ReadTarballOptions, "signal">,
): ArchiveSummary | undefined {
  const refuse = createRefusals(label);
  assertPackedSize(whole.length, { refuse, limits });
  const integrity = formatIntegrity(createHash("sha512").update(whole).digest());
  assertIntegrity(integrity, { expected, label });
  const inflated = inflateNow(whole, limits);
  if (!inflated) return undefined;
  const reader = createPackageReader(sink, limits, refuse);
  reader.write(inflated);
  return { integrity, compressedBytes: whole.length, ...reader.end() };
}

interface Task {
  reader: PackageReader;
  refuse: Refusals;
  limits: ArchiveLimits;
  label: string;
  expected: Integrity | undefined;
  signal: AbortSignal | undefined;
}

/** Hash and inflation run side by side, off this thread. */
async function readWhole(whole: Uint8Array, task: Task): Promise<ArchiveSummary> {
  const { reader, refuse, limits, signal } = task;
  const [digest, inflated] = await Promise.all([
    crypto.subtle.digest("SHA-512", whole as Uint8Array<ArrayBuffer>),
    inflateWhole(whole, limits),
  ]);
  const integrity = formatIntegrity(Buffer.from(digest));
  assertIntegrity(integrity, task);
  signal?.throwIfAborted();
  if (inflated) reader.write(inflated);
  else await inflateStream([whole], { write: reader.write, refuse, signal });
  return { integrity, compressedBytes: whole.length, ...reader.end() };
}

async function readStream(packed: Packed, task: Task): Promise<ArchiveSummary> {
  const { reader, refuse, signal } = task;
  const hash = createHash("sha512");
  const chunks = async function* () {
    for (let chunk = await packed.next(); chunk; chunk = await packed.next()) {
      hash.update(chunk);
      yield chunk;
    }
  };
  let failure: unknown;
  let summary: PackageSummary | undefined;
  try {
    await inflateStream(chunks(), { write: reader.write, refuse, signal });
    summary = reader.end();
  } catch (error) {
    if (task.expected === undefined || !hasCode(error, "E_ARCHIVE")) throw error;
    failure = error;
    for await (const _ of chunks());
  }
  // Bytes that are not the ones asked for say nothing about the package: that refusal comes first.
  const integrity = formatIntegrity(hash.digest());
  assertIntegrity(integrity, task);
  if (!summary) throw failure;
  return { integrity, compressedBytes: packed.bytes(), ...summary };
}

/** Up to this many packed bytes are gathered, checked and inflated at once: several times faster than a stream. */
const wholeBytes = 8 * 1024 * 1024;

/** A tarball as it comes in, counted against the cap. */
interface Packed {
  /** All of it when it is of moderate size; otherwise `next` gives what was gathered first. */
  gather(): Promise<Uint8Array | undefined>;
  next(): Promise<Uint8Array | undefined>;
  bytes(): number;
  close(): Promise<void>;
}

function openPacked(source: AsyncIterable<Uint8Array>, task: Task): Packed {
  const iterator = source[Symbol.asyncIterator]();
  const gathered: Uint8Array[] = [];
  let bytes = 0;
  let ended = false;
  const pull = async (): Promise<Uint8Array | undefined> => {
    task.signal?.throwIfAborted();
    const result = await iterator.next();
    if (result.done) {
      ended = true;
      return undefined;
    }
    bytes += result.value.length;
    assertPackedSize(bytes, task);
    return result.value;
  };
  return {
    async gather() {
      while (!ended && bytes <= wholeBytes) {
        const chunk = await pull();
        if (chunk) gathered.push(chunk);
      }
      return ended ? Buffer.concat(gathered.splice(0)) : undefined;
    },
    next: async () => gathered.shift() ?? (ended ? undefined : await pull()),
    bytes: () => bytes,
    async close() {
      if (!ended) await iterator.return?.();
    },
  };
}
