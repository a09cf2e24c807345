import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import * as tar from "tar";
import { createRandom, type Random, withRandom } from "../../test/harness/random.ts";
import { LarderError } from "../contract/index.ts";
import { collectingSink } from "./collecting-sink.test-support.ts";
import { longName, manifestOf, paxHeader, type RawEntry, rawEntry, rawTar } from "./raw-tar.test-support.ts";
import { readTarball } from "./read-tarball.ts";

const archives = Number(process.env.LARDER_ARCHIVES ?? (process.env.LARDER_FULL === "1" ? 50_000 : 6000));

/**
 * How two readers may differ, and why that is right. Whatever is in none of these classes fails the test.
 *
 * - `same`: both read it, file by file and byte by byte alike.
 * - `refused by both`: node-tar throws, warns, or finds nothing.
 * - `refused here alone`: node-tar is made for any archive, this reader for npm packages; the rule that refused is counted.
 * - `passes here, node-tar warned`: it drops an entry, or the metadata before it, over a field that does not count here: an owner, a time, a mode.
 */
type Outcome = "same" | "refused by both" | "refused here alone" | "passes here, node-tar warned";

test(
  `${archives} generated archives: what passes here, node-tar reads alike`,
  () =>
    withRandom(async (random) => {
      const outcomes: Partial<Record<Outcome, number>> = {};
      const rules: Record<string, number> = {};
      for (let round = 0; round < archives; round += 1) {
        // A seed of its own, so that one archive can be made again alone.
        const seed = random.integer(0, 2 ** 32 - 1);
        const packed = generate(createRandom(seed));
        const { outcome, rule } = await compare(packed, seed);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        if (outcome === "refused here alone") rules[rule ?? ""] = (rules[rule ?? ""] ?? 0) + 1;
      }
      const counted = (counts: Record<string, number>) =>
        Object.entries(counts)
          .sort(([, a], [, b]) => b - a)
          .map(([name, count]) => `${name} ${count}`)
          .join(", ");
      console.log(`${archives} archives against node-tar: ${counted(outcomes)}\nrefused here alone, by rule: ${counted(rules)}`);
      expect(outcomes.same).toBeGreaterThan(archives / 20);
      expect(outcomes["refused here alone"]).toBeGreaterThan(archives / 20);
    }),
  30 * 60_000,
);

async function compare(packed: Uint8Array, seed: number): Promise<{ outcome: Outcome; rule?: string }> {
  const theirs = await readWithNodeTar(packed);
  const sink = collectingSink();
  try {
    await readTarball(packed, sink, { label: "made@1.0.0" });
  } catch (error) {
    if (!(error instanceof LarderError)) throw new Error(`seed ${seed}: not a refusal`, { cause: error });
    const isTheirsToo = theirs.failed || theirs.warned || theirs.files.size === 0;
    return { outcome: isTheirsToo ? "refused by both" : "refused here alone", rule: String(error.details?.rule ?? error.code) };
  }
  if (theirs.failed || theirs.warned) return { outcome: "passes here, node-tar warned" };
  const ours = [...sink.files].map(([name, file]): [string, string] => [name, file.content]).sort();
  expect({ seed, files: [...theirs.files].sort() }).toEqual({ seed, files: ours });
  return { outcome: "same" };
}

/** Entries as node-tar parses them, the first component stripped, nothing written. */
async function readWithNodeTar(packed: Uint8Array): Promise<{ files: Map<string, string>; warned: boolean; failed: boolean }> {
  const files = new Map<string, string>();
  let warned = false;
  let failed = false;
  await new Promise<void>((resolve) => {
    const parser = new tar.Parser({
      onwarn: () => {
        warned = true;
      },
      onReadEntry: (entry) => {
        const chunks: Buffer[] = [];
        entry.on("data", (chunk: Buffer) => chunks.push(chunk));
        entry.on("end", () => {
          const path = entry.path
            .split("/")
            .filter((part) => part !== "" && part !== ".")
            .slice(1)
            .join("/");
          if (entry.type === "File" || entry.type === "OldFile") files.set(path, Buffer.concat(chunks).toString("latin1"));
        });
        entry.resume();
      },
    });
    parser.on("end", resolve);
    parser.on("error", () => {
      failed = true;
      resolve();
    });
    parser.end(Buffer.from(packed));
  });
  return { files, warned, failed };
}

const components = [
  "a",
  "b.js",
  "lib",
  "README.md",
  "readme.md",
  "é",
  "e\u0301",
  "漢",
  "x".repeat(99),
  "deep",
  ".hidden",
  "con",
  "-",
  "ß",
];
const hostile = ["..", ".", "", "C:", "a\\b", "nul\0x", "\u202e", "x".repeat(256)];
const types = ["0", "0", "0", "0", "0", "0", "0", "\0", "5", "5", "1", "2", "3", "6", "7", "x", "g", "L", "K", "S", "Z"];

function generate(random: Random): Buffer {
  const entries: (RawEntry | Buffer)[] = [manifestOf()];
  const count = random.integer(0, 6);
  for (let index = 0; index < count; index += 1) entries.push(...entryParts(random));
  if (random.next() < 0.05) entries.push(manifestOf());
  let bytes = rawTar(entries);
  if (random.next() < 0.1) bytes = bytes.subarray(0, random.integer(0, bytes.length));
  if (random.next() < 0.15) bytes = flipped(bytes, random);
  if (random.next() < 0.05) bytes = Buffer.concat([bytes, Buffer.alloc(512 * random.integer(0, 20), random.pick([0, 0x41]))]);
  const cut = random.next() < 0.2 ? random.integer(0, bytes.length) : bytes.length;
  return Buffer.concat([
    gzipSync(bytes.subarray(0, cut), { level: 1 }),
    ...(cut < bytes.length ? [gzipSync(bytes.subarray(cut))] : []),
  ]);
}

function pathOf(random: Random): string {
  const parts = Array.from({ length: random.integer(1, 4) }, () => random.pick(random.next() < 0.04 ? hostile : components));
  const root = random.next() < 0.95 ? "package" : random.pick(["node", "package ", "", "/", ".", ".."]);
  return `${root}/${parts.join("/")}`;
}

/** An entry with what goes before it. */
function entryParts(random: Random): (RawEntry | Buffer)[] {
  const path = pathOf(random);
  const type = random.next() < 0.75 ? "0" : random.pick(types);
  const content = "5126".includes(type) ? "" : "c".repeat(random.pick([0, 1, 511, 512, 513, 2000]));
  const entry: RawEntry = { name: Buffer.from(path).subarray(0, 100), content, type };
  if (type === "5" && random.next() < 0.8) entry.name = Buffer.from(`${path.slice(0, 98)}/`);
  if (random.next() < 0.1) entry.prefix = random.pick(["package", "package/deep", "other", "/"]);
  if (random.next() < 0.1) entry.mode = random.pick(["0000755\0", "0004755\0", "000644 \0", "7777777\0", "        ", "junk\0"]);
  if (random.next() < 0.04)
    entry.size = random.pick([
      "00000000000\0",
      "77777777777\0",
      "-0000000001\0",
      "junk",
      Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ]);
  if (random.next() < 0.05) entry.mtime = random.pick(["junk", "77777777777\0", Buffer.from([0xff]).toString("latin1")]);
  if (random.next() < 0.03) entry.magic = random.pick(["ustar  \0", "\0\0\0\0\0\0\0\0", "junk\0\0\0\0"]);
  if (random.next() < 0.02) entry.checksum = "0000000\0";
  if (random.next() < 0.05) entry.linkName = random.pick(["/etc/passwd", "../x", "package/a"]);
  const before: Buffer[] = [];
  if (random.next() < 0.15) before.push(paxHeader(paxRecords(random)));
  if (random.next() < 0.05) before.push(longName(pathOf(random)));
  if (random.next() < 0.02) before.push(paxHeader({ path: pathOf(random) }, "g"));
  return [...before, rawEntry(entry)];
}

function paxRecords(random: Random): Record<string, string> {
  const records: Record<string, string> = {};
  if (random.next() < 0.7) records.path = pathOf(random);
  if (random.next() < 0.2) records.mtime = random.pick(["1.5", "-3", "junk"]);
  if (random.next() < 0.1) records.size = random.pick(["0", "1", "512", "-1", "junk"]);
  if (random.next() < 0.05) records.linkpath = "/etc/passwd";
  if (random.next() < 0.05) records["GNU.sparse.major"] = "1";
  if (random.next() < 0.1) records["SCHILY.xattr.user.x"] = "y";
  return records;
}

/** One byte other, with the checksum of its header made right half of the time. */
function flipped(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length === 0) return copy;
  const at = random.integer(0, copy.length - 1);
  copy[at] = random.integer(0, 255);
  const header = at - (at % 512);
  if (random.next() < 0.5 && header + 512 <= copy.length) {
    copy.fill(0x20, header + 148, header + 156);
    const sum = copy.subarray(header, header + 512).reduce((total, byte) => total + byte, 0);
    copy.write(`${sum.toString(8).padStart(6, "0")}\0 `, header + 148, "latin1");
  }
  return copy;
}
