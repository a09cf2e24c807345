import type { ArchiveLimits } from "./archive-limits.ts";
import type { ArchiveSink } from "./archive-sink.ts";
import { createEntryGate } from "./entry-gate.ts";
import { parsePaxRecords } from "./pax-records.ts";
import type { Refusals } from "./refusal.ts";
import { blockBytes, isZeroBlock, parseTarHeader, type TarHeader } from "./tar-header.ts";

/** Takes a tar stream in pieces of any size and hands its files to a sink as they pass. */
export interface TarParser {
  write(chunk: Uint8Array): void;
  /** To be called after the last byte: refuses a stream that stops inside an entry. */
  end(): void;
}

/** What is being read: a header, an entry's content, the padding behind it, or the zeros after the last entry. */
type State =
  | { kind: "header" }
  | { kind: "file"; remaining: number; padding: number }
  | { kind: "metadata"; type: string; content: Buffer; filled: number; padding: number }
  | { kind: "padding"; remaining: number }
  | { kind: "ended" };

/** Metadata for the next entry. */
interface Pending {
  rawPath?: string;
  sizeBytes?: number;
  /** The types of the metadata headers seen since the last entry. */
  types: string;
  bytes: number;
}

export function createTarParser(sink: ArchiveSink, limits: ArchiveLimits, refuse: Refusals): TarParser {
  const gate = createEntryGate(limits, refuse);
  const partial = Buffer.alloc(blockBytes);
  let partialBytes = 0;
  let headers = 0;
  let entry = "";
  let state: State = { kind: "header" };
  let pending: Pending = { types: "", bytes: 0 };

  const readHeader = (block: Buffer): void => {
    if (isZeroBlock(block)) {
      assertNothingPending();
      state = { kind: "ended" };
      return;
    }
    headers += 1;
    const header = parseTarHeader(block);
    if ("rule" in header) throw refuse.archive(header.rule, header.rawPath, header.says);
    gate.assertCount(headers);
    if ("xgLK".includes(header.type)) beginMetadata(header);
    else beginEntry(header);
  };

  const beginMetadata = ({ type, sizeBytes, rawPath }: TarHeader): void => {
    if (type === "K") throw refuse.archive("link", rawPath, "is followed by a link");
    if (type !== "g" && pending.types.includes(type))
      throw refuse.archive("metadata", rawPath, "repeats the metadata of one entry");
    const bytes = pending.bytes + sizeBytes;
    if (bytes > limits.metadataBytes)
      throw refuse.tooLarge("it has metadata of one entry", { bytes, limit: limits.metadataBytes });
    pending = { ...pending, bytes, types: pending.types + type };
    state = { kind: "metadata", type, content: Buffer.alloc(sizeBytes), filled: 0, padding: paddingOf(sizeBytes) };
    if (sizeBytes === 0) endMetadata(type, Buffer.alloc(0), 0);
  };

  const endMetadata = (type: string, content: Buffer, padding: number): void => {
    state = padding > 0 ? { kind: "padding", remaining: padding } : { kind: "header" };
    if (type === "L") {
      setPath(withoutFinalNul(content.toString("latin1")));
      return;
    }
    const records = parsePaxRecords(content);
    if ("fault" in records) throw refuse.archive(records.fault, pending.rawPath ?? entry, records.says);
    if (type === "g") {
      if (records.rawPath === undefined && records.sizeBytes === undefined) return;
      throw refuse.archive("metadata", entry, "is followed by a global PAX header with a path or a size");
    }
    if (records.rawPath !== undefined) setPath(records.rawPath);
    if (records.sizeBytes !== undefined) pending.sizeBytes = records.sizeBytes;
  };

  const setPath = (rawPath: string): void => {
    if (pending.rawPath !== undefined && pending.rawPath !== rawPath) {
      throw refuse.archive("metadata", rawPath, "has two long names");
    }
    pending.rawPath = rawPath;
  };

  const beginEntry = (header: TarHeader): void => {
    const { rawPath = header.rawPath, sizeBytes = header.sizeBytes } = pending;
    if (sizeBytes !== header.sizeBytes) throw refuse.archive("size", rawPath, "has two sizes");
    pending = { types: "", bytes: 0 };
    const file = gate.admit({ ...header, rawPath });
    state = { kind: "header" };
    if (!file) return;
    entry = file.path;
    sink.beginFile(file);
    if (sizeBytes === 0) sink.endFile();
    else state = { kind: "file", remaining: sizeBytes, padding: paddingOf(sizeBytes) };
  };

  const assertNothingPending = (): void => {
    if (pending.types.replaceAll("g", "") !== "") throw refuse.archive("truncated", entry, "is followed by metadata of no entry");
  };

  /** Consumes from `chunk` at `offset`; answers where it stopped. */
  const step = (chunk: Buffer, offset: number): number => {
    const available = chunk.length - offset;
    switch (state.kind) {
      case "header": {
        if (partialBytes === 0 && available >= blockBytes) {
          readHeader(chunk.subarray(offset, offset + blockBytes));
          return offset + blockBytes;
        }
        const taken = Math.min(blockBytes - partialBytes, available);
        chunk.copy(partial, partialBytes, offset, offset + taken);
        partialBytes += taken;
        if (partialBytes === blockBytes) {
          partialBytes = 0;
          readHeader(partial);
        }
        return offset + taken;
      }
      case "file": {
        const taken = Math.min(state.remaining, available);
        sink.data(chunk.subarray(offset, offset + taken));
        state.remaining -= taken;
        if (state.remaining === 0) {
          sink.endFile();
          state = state.padding > 0 ? { kind: "padding", remaining: state.padding } : { kind: "header" };
        }
        return offset + taken;
      }
      case "metadata": {
        const taken = Math.min(state.content.length - state.filled, available);
        chunk.copy(state.content, state.filled, offset, offset + taken);
        state.filled += taken;
        if (state.filled === state.content.length) endMetadata(state.type, state.content, state.padding);
        return offset + taken;
      }
      case "padding": {
        const taken = Math.min(state.remaining, available);
        state.remaining -= taken;
        if (state.remaining === 0) state = { kind: "header" };
        return offset + taken;
      }
      case "ended": {
        for (let index = offset; index < chunk.length; index += 1) {
          if (chunk[index] !== 0) throw refuse.archive("after-end", entry, "is followed by data after the archive's end");
        }
        return chunk.length;
      }
    }
  };

  return {
    write(chunk) {
      const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      for (let offset = 0; offset < buffer.length; ) offset = step(buffer, offset);
    },
    end() {
      if (state.kind === "ended") return;
      // Some writers leave out the zeros at the end, or the padding of the last file.
      const complete = (state.kind === "header" && partialBytes === 0) || state.kind === "padding";
      if (!complete) throw refuse.archive("truncated", entry, "is the last entry before the archive breaks off");
      assertNothingPending();
    },
  };
}

const paddingOf = (sizeBytes: number): number => (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
const withoutFinalNul = (text: string): string => (text.endsWith("\0") ? text.slice(0, -1) : text);
