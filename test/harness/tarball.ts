import { gzipSync } from "node:zlib";

/** What a tar header may say; the defaults are what `npm pack` writes. Nothing is checked: hostile entries are the point of some tests. */
export interface TarEntry {
  path: string;
  content?: string | Uint8Array;
  mode?: number;
  /** The type flag: "0" file, "5" directory, "1" hard link, "2" symbolic link, "x" PAX header, … */
  type?: string;
  linkTarget?: string;
}

const block = 512;
/** 26 October 1985: npm gives every file this time. */
const mtimeSeconds = 499_162_500;

/** The same entries give the same bytes, on every machine. */
export const packTarball = (entries: readonly TarEntry[]): Buffer => gzipSync(packTar(entries), { level: 9 });

/** Uncompressed. Paths over 100 bytes get a PAX header, as npm writes them. */
export function packTar(entries: readonly TarEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    if (Buffer.byteLength(entry.path) > 100)
      parts.push(...packEntry({ path: "PaxHeader", type: "x", content: paxRecord("path", entry.path) }));
    parts.push(...packEntry(entry));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

/** One record of a PAX header: its own length in decimal, then `key=value`. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (String(length).length + Buffer.byteLength(rest) !== length) length = String(length).length + Buffer.byteLength(rest);
  return `${length}${rest}`;
}

function packEntry({ path, content = "", mode = 0o644, type = "0", linkTarget = "" }: TarEntry): Buffer[] {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(block);
  const field = (text: string, offset: number, length: number) => header.write(text, offset, length, "utf8");
  const octal = (value: number, offset: number, length: number) =>
    field(value.toString(8).padStart(length - 1, "0"), offset, length - 1);
  field(path, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(mtimeSeconds, 136, 12);
  field(type, 156, 1);
  field(linkTarget, 157, 100);
  field("ustar\x0000", 257, 8);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  field(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8);
  return [header, bytes, Buffer.alloc((block - (bytes.length % block)) % block)];
}
