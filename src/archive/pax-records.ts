/** What a PAX header may change about the entry behind it. Everything else in it (times, owners, comments) is ignored. */
export interface PaxRecords {
  /** Undecoded: bytes as latin1. */
  rawPath?: string;
  sizeBytes?: number;
}

export type PaxResult = PaxRecords | { fault: "metadata" | "sparse" | "link"; says: string };

/** Records are `<length> <key>=<value>\n`, the length in decimal and counting itself. */
export function parsePaxRecords(content: Buffer): PaxResult {
  const records: PaxRecords = {};
  const seen = new Set<string>();
  for (let offset = 0; offset < content.length; ) {
    const record = nextRecord(content, offset);
    if (!record) return { fault: "metadata", says: "has a malformed PAX header" };
    offset = record.end;
    const { key, value } = record;
    if (key.startsWith("GNU.sparse.")) return { fault: "sparse", says: "is a sparse file" };
    if (!honoured.has(key)) continue;
    if (seen.has(key)) return { fault: "metadata", says: `has a PAX header with two values for ${key}` };
    seen.add(key);
    if (key === "linkpath") return { fault: "link", says: "is a link" };
    if (key === "hdrcharset" && value !== "ISO-IR 10646 2000 UTF-8") {
      return { fault: "metadata", says: "has a PAX header that is not UTF-8" };
    }
    if (key === "path") records.rawPath = value;
    if (key === "size") {
      if (!/^\d{1,15}$/.test(value)) return { fault: "metadata", says: "has a PAX size that is not a number" };
      records.sizeBytes = Number(value);
    }
  }
  return records;
}

const honoured = new Set(["path", "size", "linkpath", "hdrcharset"]);
/** "99999999 ": a header holds 1 MiB at most. */
const maxLengthDigits = 8;

function nextRecord(content: Buffer, start: number): { key: string; value: string; end: number } | undefined {
  const space = content.indexOf(0x20, start);
  if (space < 0 || space - start > maxLengthDigits) return undefined;
  const digits = content.toString("latin1", start, space);
  if (!/^[1-9]\d*$/.test(digits)) return undefined;
  const end = start + Number(digits);
  if (end > content.length || end <= space + 1 || content[end - 1] !== 0x0a) return undefined;
  const equals = content.indexOf(0x3d, space);
  if (equals < 0 || equals >= end || equals === space + 1) return undefined;
  return { key: content.toString("latin1", space + 1, equals), value: content.toString("latin1", equals + 1, end - 1), end };
}
