import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { LarderError } from "../../contract/index.ts";

const memoryBytes = 8 * 2 ** 20;

/** Bytes that can be read several times: in memory while they are few, in a scratch file otherwise. */
export interface Spool extends AsyncDisposable {
  sizeBytes: number;
  read(): AsyncIterable<Uint8Array> | Uint8Array;
}

export interface SpoolOptions {
  /** Where the file goes when one is needed. Removed on disposal, and on failure. */
  path: string;
  limitBytes: number;
  label: string;
  signal: AbortSignal;
}

/** Reads `source` to its end. Throws `E_TOO_LARGE` at the limit. */
export async function openSpool(source: AsyncIterable<Uint8Array>, options: SpoolOptions): Promise<Spool> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  let file: Awaited<ReturnType<typeof open>> | undefined;
  try {
    for await (const chunk of source) {
      options.signal.throwIfAborted();
      sizeBytes += chunk.byteLength;
      if (sizeBytes > options.limitBytes) {
        throw new LarderError("E_TOO_LARGE", `The tarball of ${options.label} exceeds ${options.limitBytes} bytes.`, {
          details: { limit: options.limitBytes },
        });
      }
      if (file === undefined && sizeBytes > memoryBytes) {
        file = await open(options.path, "wx", 0o600);
        for (const kept of chunks.splice(0)) await file.writeFile(kept);
      }
      if (file) await file.writeFile(chunk);
      else chunks.push(chunk);
    }
  } catch (error) {
    await file?.close();
    await rm(options.path, { force: true });
    throw error;
  }
  if (file === undefined) {
    const bytes = Buffer.concat(chunks);
    return { sizeBytes, read: () => bytes, async [Symbol.asyncDispose]() {} };
  }
  await file.close();
  return {
    sizeBytes,
    read: () => createReadStream(options.path, { highWaterMark: 1 << 18 }),
    async [Symbol.asyncDispose]() {
      await rm(options.path, { force: true });
    },
  };
}
