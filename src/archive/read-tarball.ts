import { createHash } from "node:crypto";
import { type Integrity, LarderError } from "../contract/index.ts";
import { type ArchiveLimits, defaultArchiveLimits } from "./archive-limits.ts";
import type { ArchiveSink } from "./archive-sink.ts";
import { inflateStream, inflateWhole } from "./inflate.ts";
import type { PackageJson } from "./package-json.ts";
import { createPackageReader } from "./package-reader.ts";
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

/** Up to this many compressed bytes are gathered, checked and inflated at once: several times faster than a stream. */
const wholeBytes = 16 * 1024 * 1024;

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
  const reader = createPackageReader(sink, limits, refuse);
  const input = await openInput(source, { limits, refuse, signal });
  try {
    const whole = input.whole && (await inflateWhole(input.whole, limits));
    if (input.whole && whole) {
      const integrity = formatIntegrity(createHash("sha512").update(input.whole).digest());
      assertIntegrity(integrity, expected, label);
      signal?.throwIfAborted();
      reader.write(whole);
      return { integrity, compressedBytes: input.whole.length, ...reader.end() };
    }
    const hash = createHash("sha512");
    let compressedBytes = 0;
    const hashed = async function* () {
      for (let chunk = await input.next(); chunk; chunk = await input.next()) {
        signal?.throwIfAborted();
        hash.update(chunk);
        compressedBytes += chunk.length;
        yield chunk;
      }
    };
    const integrity = () => formatIntegrity(hash.digest());
    try {
      await inflateStream(hashed(), { write: reader.write, refuse, signal });
      const summary = reader.end();
      const found = integrity();
      assertIntegrity(found, expected, label);
      return { integrity: found, compressedBytes, ...summary };
    } catch (error) {
      // Bytes that are not the ones asked for say nothing about the package: that comes first.
      if (expected === undefined || !(error instanceof LarderError) || error.code !== "E_ARCHIVE") throw error;
      for await (const _ of hashed());
      assertIntegrity(integrity(), expected, label);
      throw error;
    }
  } finally {
    await input.close();
  }
}

const formatIntegrity = (digest: Buffer): Integrity => `sha512-${digest.toString("base64")}` as Integrity;

function assertIntegrity(found: Integrity, expected: Integrity | undefined, label: string): void {
  if (expected === undefined || found === expected) return;
  throw new LarderError("E_INTEGRITY", `The tarball of ${label} is ${found}, but ${expected} was expected.`, {
    hint: "Its source sent other bytes than were admitted; try again, and check the source when it happens again.",
    retryable: true,
    details: { package: label, expected, found },
  });
}

interface Input {
  /** All of it, when it is of moderate size. */
  whole: Uint8Array | undefined;
  next(): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

async function openInput(
  source: AsyncIterable<Uint8Array> | Uint8Array,
  { limits, refuse, signal }: { limits: ArchiveLimits; refuse: Refusals; signal: AbortSignal | undefined },
): Promise<Input> {
  let total = 0;
  const counted = (chunk: Uint8Array): Uint8Array => {
    total += chunk.length;
    if (total <= limits.compressedBytes) return chunk;
    throw refuse.tooLarge("it has more packed bytes", { bytes: total, limit: limits.compressedBytes });
  };
  const iterator = source instanceof Uint8Array ? [counted(source)].values() : source[Symbol.asyncIterator]();
  const gathered: Uint8Array[] = [];
  let ended = false;
  const pull = async (): Promise<Uint8Array | undefined> => {
    const result = await iterator.next();
    if (!result.done) return source instanceof Uint8Array ? result.value : counted(result.value);
    ended = true;
    return undefined;
  };
  const close = async () => {
    if (!ended) await (iterator as AsyncIterator<Uint8Array>).return?.();
  };
  try {
    while (!ended && total <= wholeBytes) {
      signal?.throwIfAborted();
      const chunk = await pull();
      if (chunk) gathered.push(chunk);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const whole = ended ? (gathered.length === 1 ? gathered[0] : Buffer.concat(gathered)) : undefined;
  return { whole, next: async () => gathered.shift() ?? (ended ? undefined : await pull()), close };
}
