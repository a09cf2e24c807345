import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { LarderError } from "../contract/index.ts";
import { type ArchiveLimits, defaultArchiveLimits } from "./archive-limits.ts";
import { collectingSink } from "./collecting-sink.test-support.ts";
import { longName, manifestOf, paxHeader, rawEntry, rawTar, tarball } from "./raw-tar.test-support.ts";
import { readTarball } from "./read-tarball.ts";

const mebibyte = 1024 * 1024;

const refusal = async (
  source: Uint8Array | AsyncIterable<Uint8Array>,
  limits: Partial<ArchiveLimits> = {},
): Promise<LarderError> =>
  readTarball(source, collectingSink(), { label: "bomb@1.0.0", limits: { ...defaultArchiveLimits, ...limits } }).then(
    () => {
      throw new Error("the tarball passed");
    },
    (error) => error,
  );

describe("every cap", () => {
  test.each([
    ["packed bytes", [{ name: "package/a", content: "x" }], { compressedBytes: 50 }, 50],
    ["unpacked bytes", [{ name: "package/a", content: "x".repeat(9000) }], { unpackedBytes: 8192 }, 8192],
    ["one file's bytes", [{ name: "package/a", content: "x".repeat(9000) }], { entryBytes: 8999 }, 8999],
    ["entries", Array.from({ length: 100 }, (_, index) => ({ name: `package/${index}` })), { entries: 100 }, 100],
    ["implied folders", [{ name: `package/${"f/".repeat(60)}x` }], { entries: 30 }, 30],
    [
      "metadata of one entry",
      [paxHeader({ comment: "c".repeat(600), path: "package/a" }), { name: "a" }],
      { metadataBytes: 500 },
      500,
    ],
    [
      "metadata in many headers",
      Array.from({ length: 40 }, () => paxHeader({ comment: "c".repeat(100) }, "g")),
      { metadataBytes: 2000 },
      2000,
    ],
    ["a long name", [longName("package/x".repeat(100)), { name: "a" }], { metadataBytes: 500 }, 500],
  ] as [string, Parameters<typeof tarball>[0], Partial<ArchiveLimits>, number][])(
    "is told with its number: %s",
    async (_, entries, limits, limit) => {
      const error = await refusal(tarball(entries), limits);
      expect(error.code).toBe("E_TOO_LARGE");
      expect(error.details?.limit).toBe(limit);
      expect(error.details?.bytes).toBeGreaterThan(limit);
      expect(error.message).toContain("bomb@1.0.0");
    },
  );

  test("does not trust a declared size: metadata of 512 MiB is refused at its header", async () => {
    const claim = rawEntry({ name: "p", type: "x", size: 512 * mebibyte });
    expect((await refusal(gzipSync(rawTar([manifestOf(), claim])))).code).toBe("E_TOO_LARGE");
  });

  test("counts an endless source and stops", async () => {
    let sent = 0;
    const endless = async function* () {
      yield gzipSync(rawTar([manifestOf()])).subarray(0, 40);
      for (;;) {
        sent += mebibyte;
        yield Buffer.alloc(mebibyte, 0x55);
      }
    };
    expect(["E_TOO_LARGE", "E_ARCHIVE"]).toContain((await refusal(endless(), { compressedBytes: 20 * mebibyte })).code);
    expect(sent).toBeLessThanOrEqual(21 * mebibyte);
  });

  test("is not reached by 200,000 empty gzip members, which pass", async () => {
    const members = Buffer.concat([gzipSync(rawTar([manifestOf()])), ...Array<Buffer>(200_000).fill(gzipSync(""))]);
    expect((await readTarball(members, collectingSink(), { label: "many@1.0.0" })).files).toBe(1);
  });
});

describe("a bomb", () => {
  // 160 times a member of 64 MiB zeros: 10 MB that unpack to 10 GB.
  const tenGigabytes = () => {
    const head = rawTar([manifestOf(), rawEntry({ name: "package/zeros", size: 500 * mebibyte })]).subarray(0, 1536);
    const member = gzipSync(Buffer.alloc(64 * mebibyte), { level: 9 });
    return Buffer.concat([gzipSync(head), ...Array<Buffer>(160).fill(member)]);
  };
  const twoHundredMebibytes = () => {
    const head = rawTar([manifestOf(), rawEntry({ name: "package/zeros", size: 200 * mebibyte })]).subarray(0, 1536);
    return gzipSync(Buffer.concat([head, Buffer.alloc(200 * mebibyte)]));
  };
  const emptyFiles = () => {
    const thousand = (start: number) =>
      gzipSync(Buffer.concat(Array.from({ length: 1000 }, (_, index) => rawEntry({ name: `package/${start + index}` }))));
    return Buffer.concat([
      gzipSync(rawEntry(manifestOf())),
      ...Array.from({ length: 201 }, (_, index) => thousand(index * 1000)),
    ]);
  };

  test.each([
    ["10 MB that unpack to 10 GB", tenGigabytes, "E_TOO_LARGE", 64],
    ["200 KB that unpack to 200 MiB, within the caps", twoHundredMebibytes, "passed", 64],
    ["more empty files than the cap", emptyFiles, "E_TOO_LARGE", 64],
  ])(
    "costs little memory: %s",
    async (_, build, expected, limitMebibytes) => {
      const directory = await mkdtemp(join(tmpdir(), "larder-bomb-"));
      try {
        const file = join(directory, "bomb.tgz");
        await writeFile(file, build());
        await writeFile(join(directory, "warm.tgz"), tarball([{ name: "package/a", content: "a".repeat(5000) }]));
        const script = `
          import { createReadStream } from "node:fs";
          import { readTarball } from ${JSON.stringify(join(import.meta.dir, "index.ts"))};
          const sink = { beginFile() {}, data() {}, endFile() {} };
          const warm = new Uint8Array(await Bun.file(${JSON.stringify(join(directory, "warm.tgz"))}).arrayBuffer());
          for (let round = 0; round < 20; round++) await readTarball(warm, sink, { label: "warm@1.0.0" });
          const base = process.memoryUsage.rss();
          let peak = base;
          const look = () => { peak = Math.max(peak, process.memoryUsage.rss()); };
          const timer = setInterval(look, 5);
          const outcome = await readTarball(createReadStream(${JSON.stringify(file)}), sink, { label: "bomb@1.0.0" })
            .then(() => "passed", (error) => error.code);
          look();
          clearInterval(timer);
          console.log(JSON.stringify({ outcome, grownBytes: peak - base }));`;
        const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
        const { outcome, grownBytes } = JSON.parse(await new Response(child.stdout).text());
        expect(outcome).toBe(expected);
        expect(grownBytes).toBeLessThan(limitMebibytes * mebibyte);
      } finally {
        await rm(directory, { recursive: true });
      }
    },
    30_000,
  );
});
