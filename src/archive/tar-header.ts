import type { ArchiveRule } from "./refusal.ts";

export const blockBytes = 512;

/** One 512-byte header as written, without any metadata that came before it. */
export interface TarHeader {
  /** Prefix and name, undecoded: bytes as latin1. */
  rawPath: string;
  /** The type byte as a character; NUL (old archives) reads as "0". */
  type: string;
  sizeBytes: number;
  executable: boolean;
}

export interface HeaderFault {
  rule: ArchiveRule;
  says: string;
  rawPath: string;
}

export function isZeroBlock(block: Buffer): boolean {
  for (let index = 0; index < blockBytes; index += 1) if (block[index] !== 0) return false;
  return true;
}

/** POSIX ustar, GNU and pre-POSIX (v7) headers. What two readers could understand differently is a fault. */
export function parseTarHeader(block: Buffer): TarHeader | HeaderFault {
  const name = textField(block, 0, 100);
  const rawName = name ?? "";
  const fault = (rule: ArchiveRule, says: string): HeaderFault => ({ rule, says, rawPath: rawName });
  if (!hasRightChecksum(block)) return fault("checksum", "has a header with a wrong checksum");
  if (name === undefined)
    return { ...fault("path-nul", "has a name with a NUL inside"), rawPath: block.toString("latin1", 0, 100) };
  const prefix = prefixOf(block);
  if (prefix === undefined) return fault("header", "has a header of an unknown kind");
  const sizeBytes = numberField(block, 124, 12);
  if (sizeBytes === undefined) return fault("size", "has a size that is not a number");
  const type = block[156] === 0 ? "0" : String.fromCharCode(block[156] as number);
  const mode = numberField(block, 100, 8) ?? 0;
  return { rawPath: prefix === "" ? rawName : `${prefix}/${rawName}`, type, sizeBytes, executable: (mode & 0o111) !== 0 };
}

/** "" for formats without one; `undefined` for an unknown format or a NUL inside. */
function prefixOf(block: Buffer): string | undefined {
  const magic = block.toString("latin1", 257, 265);
  // Behind a NUL at the prefix's 131st byte, some writers (node-tar among them) keep two times.
  if (magic === "ustar\u000000") return textField(block, 345, block[345 + 130] === 0 ? 131 : 155);
  // GNU keeps times where the prefix would be; v7 ends before it.
  if (magic === "ustar  \0" || magic === "\0\0\0\0\0\0\0\0") return "";
  return undefined;
}

/** Up to the first NUL; `undefined` when something other than NUL follows it. */
function textField(block: Buffer, offset: number, length: number): string | undefined {
  const end = offset + length;
  let stop = offset;
  while (stop < end && block[stop] !== 0) stop += 1;
  for (let index = stop; index < end; index += 1) if (block[index] !== 0) return undefined;
  return block.toString("latin1", offset, stop);
}

/** Spaces, octal digits, then spaces or NULs; or GNU's base 256; blank is 0. `undefined`: negative, beyond 2^53, or not a number. */
function numberField(block: Buffer, offset: number, length: number): number | undefined {
  const end = offset + length;
  if (block[offset] === 0x80) return bigEndian(block, offset + 1, end);
  let at = offset;
  while (at < end && block[at] === 0x20) at += 1;
  let value = 0;
  for (; at < end && isOctalDigit(block[at]); at += 1) value = value * 8 + ((block[at] as number) - 0x30);
  for (; at < end; at += 1) if (block[at] !== 0 && block[at] !== 0x20) return undefined;
  return value;
}

const isOctalDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x37;

function bigEndian(block: Buffer, start: number, end: number): number | undefined {
  let value = 0;
  for (let index = start; index < end; index += 1) {
    value = value * 256 + (block[index] as number);
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return value;
}

/** The sum of all bytes with the checksum's own eight read as spaces. */
function hasRightChecksum(block: Buffer): boolean {
  let sum = 8 * 0x20;
  for (let index = 0; index < 148; index += 1) sum += block[index] as number;
  for (let index = 156; index < blockBytes; index += 1) sum += block[index] as number;
  return numberField(block, 148, 8) === sum;
}
