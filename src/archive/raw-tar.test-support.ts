import { gzipSync } from "node:zlib";

/** A header exactly as a test wants it, right or wrong. */
export interface RawEntry {
  name: string | Uint8Array;
  content?: string | Uint8Array;
  type?: string;
  /** Octal text as written. */
  mode?: string;
  size?: string | number | Uint8Array;
  prefix?: string | Uint8Array;
  magic?: string;
  checksum?: string;
  linkName?: string;
  uid?: string;
  mtime?: string;
}

const bytes = (value: string | Uint8Array): Buffer => (typeof value === "string" ? Buffer.from(value) : Buffer.from(value));
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

export function rawEntry(entry: RawEntry): Buffer {
  const content = bytes(entry.content ?? "");
  const block = Buffer.alloc(512);
  const put = (offset: number, value: string | Uint8Array, length: number) => bytes(value).copy(block, offset, 0, length);
  put(0, entry.name, 100);
  put(100, entry.mode ?? octal(0o644, 8), 8);
  put(108, entry.uid ?? octal(0, 8), 8);
  put(116, octal(0, 8), 8);
  put(
    124,
    typeof entry.size === "object" || typeof entry.size === "string" ? entry.size : octal(entry.size ?? content.length, 12),
    12,
  );
  put(136, entry.mtime ?? octal(499162500, 12), 12);
  put(156, entry.type ?? "0", 1);
  put(157, entry.linkName ?? "", 100);
  put(257, entry.magic ?? "ustar\x0000", 8);
  put(345, entry.prefix ?? "", 155);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, entry.checksum ?? `${octal(sum, 7)} `, 8);
  return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

export const endOfArchive = Buffer.alloc(1024);
export const manifestOf = (name = "demo", version = "1.0.0"): RawEntry => ({
  name: "package/package.json",
  content: JSON.stringify({ name, version }),
});

export const rawTar = (entries: (RawEntry | Buffer)[]): Buffer =>
  Buffer.concat([...entries.map((entry) => (Buffer.isBuffer(entry) ? entry : rawEntry(entry))), endOfArchive]);

/** A gzipped package: a `package.json` in front unless told otherwise. */
export const tarball = (entries: (RawEntry | Buffer)[], { withManifest = true } = {}): Buffer =>
  gzipSync(rawTar(withManifest ? [manifestOf(), ...entries] : entries));

export function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), bytes(value), Buffer.from("\n")]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

export const paxHeader = (records: Record<string, string | Uint8Array>, type = "x"): Buffer =>
  rawEntry({
    name: "PaxHeader/x",
    type,
    content: Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value))),
  });

export const longName = (path: string | Uint8Array): Buffer =>
  rawEntry({ name: "././@LongLink", type: "L", magic: "ustar  \0", content: Buffer.concat([bytes(path), Buffer.alloc(1)]) });
