import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { collectingSink } from "./collecting-sink.test-support.ts";
import {
  endOfArchive,
  longName,
  manifestOf,
  paxHeader,
  type RawEntry,
  rawEntry,
  rawTar,
  tarball,
} from "./raw-tar.test-support.ts";
import { readTarball } from "./read-tarball.ts";
import { label, read, refusal } from "./reading.test-support.ts";

describe("a name that leads elsewhere", () => {
  const name = (value: string | Uint8Array, rule: string): [string, RawEntry[], string] => [
    JSON.stringify(value.toString().slice(0, 40)),
    [{ name: value }],
    rule,
  ];
  test.each([
    name("../escape.txt", "path-traversal"),
    name("package/../../x", "path-traversal"),
    name("package/..", "path-traversal"),
    name("package/a/../b", "path-traversal"),
    name("..", "path-traversal"),
    name("../", "path-traversal"),
    name("/etc/cron.d/x", "path-absolute"),
    name("////etc/x", "path-absolute"),
    name("//server/share", "path-absolute"),
    name("package\\..\\..\\x", "path-backslash"),
    name("package/a\\b", "path-backslash"),
    name("C:\\x", "path-backslash"),
    name("\\\\?\\C:\\x", "path-backslash"),
    name("C:../x", "path-drive"),
    name("C:/x", "path-drive"),
    name("package/c:x", "path-drive"),
    name("stray.txt", "root"),
    name("other/a.js", "root"),
    name("", "path-empty"),
    name("package/a\0b", "path-nul"),
    name(Buffer.from("package/\xc0\xaf", "latin1"), "path-encoding"),
    name(Buffer.from("package/\xed\xa0\x80", "latin1"), "path-encoding"),
    name(Buffer.from("package/\xff", "latin1"), "path-encoding"),
  ])("is refused: %s", async (_, entries, rule) => {
    const error = await refusal(tarball(entries));
    expect(error.code).toBe("E_ARCHIVE");
    expect(error.details?.rule).toBe(rule);
    expect(error.message).toContain(label);
  });

  test("is refused in a long name and in a PAX path too", async () => {
    const hidden = (metadata: Buffer) => refusal(tarball([metadata, { name: "package/innocent" }]));
    expect((await hidden(longName("package/../../x"))).details?.rule).toBe("path-traversal");
    expect((await hidden(longName("package/a\0b"))).details?.rule).toBe("path-nul");
    expect((await hidden(paxHeader({ path: "/etc/passwd" }))).details?.rule).toBe("path-absolute");
    expect((await hidden(paxHeader({ path: "package/a\0../../b" }))).details?.rule).toBe("path-nul");
    expect((await hidden(paxHeader({ path: Buffer.from("package/\xed\xbf\xbf", "latin1") }))).details?.rule).toBe(
      "path-encoding",
    );
    expect((await hidden(paxHeader({ path: "" }))).details?.rule).toBe("path-empty");
  });

  test("is refused when it is too long, too deep, or has a part that is too long", async () => {
    const long = (path: string) => refusal(tarball([longName(`package/${path}`), { name: "package/x", magic: "ustar  \0" }]));
    expect((await long("p".repeat(256))).details?.rule).toBe("component-length");
    expect((await long("ü".repeat(128))).details?.rule).toBe("component-length");
    expect((await long("pp/".repeat(1700))).details?.rule).toBe("path-length");
    expect((await long(`${"d/".repeat(64)}x`)).details?.rule).toBe("depth");
    expect((await long("d/".repeat(5000))).details?.rule).toBe("path-length");
    expect(
      (await read(tarball([longName(`package/${"d/".repeat(63)}x`), { name: "package/x", magic: "ustar  \0" }]))).files,
    ).toBe(2);
  });
});

describe("an entry that is not a plain file or folder", () => {
  test.each([
    ["a symbolic link", [{ name: "package/a", type: "2", linkName: "/tmp" }, { name: "package/a/x" }], "link", "package/a"],
    ["a symbolic link within", [{ name: "package/a", type: "2", linkName: "b" }], "link", "package/a"],
    ["a hard link", [{ name: "package/a", type: "1", linkName: "/etc/passwd" }], "link", "package/a"],
    ["a hard link to an entry", [{ name: "package/a", type: "1", linkName: "package/package.json" }], "link", "package/a"],
    [
      "a long link name",
      [
        { name: "././@LongLink", type: "K", content: "/tmp\0" },
        { name: "package/a", type: "2" },
      ],
      "link",
      "././@LongLink",
    ],
    ["a PAX link", [paxHeader({ linkpath: "/etc/passwd" }), { name: "package/a" }], "link", undefined],
    ["a PAX sparse file", [paxHeader({ "GNU.sparse.major": "1" }), { name: "package/a" }], "sparse", undefined],
    ["a sparse file", [{ name: "package/a", type: "S" }], "sparse", "package/a"],
    ...["3", "4", "6", "7", "D", "M", "V", "N", "A", "X", "\x01", "é"].map(
      (type) => [`type ${JSON.stringify(type)}`, [{ name: "package/a", type }], "type", "package/a"] as const,
    ),
  ] as [string, (RawEntry | Buffer)[], string, string | undefined][])("is refused: %s", async (_, entries, rule, entry) => {
    const error = await refusal(tarball(entries));
    expect(error.code).toBe("E_ARCHIVE");
    expect(error.details?.rule).toBe(rule);
    if (entry !== undefined) expect(error.details?.entry).toBe(entry);
  });

  test("is refused before anything behind it is read", async () => {
    const sink = collectingSink();
    const packed = tarball([
      { name: "package/a", type: "2", linkName: "/tmp" },
      { name: "package/a/x", content: "x" },
    ]);
    await expect(readTarball(packed, sink, { label })).rejects.toThrow("symbolic link");
    expect([...sink.files.keys()]).toEqual(["package.json"]);
  });
});

describe("two entries for one place", () => {
  test.each([
    [["index.js", "index.js"], "duplicate"],
    [["./a/b.js", "a//b.js"], "duplicate"],
    [["package.json"], "duplicate"],
    [["Index.js", "index.js"], "collision"],
    [["README.md", "readme.md"], "collision"],
    [["\u00e9.js", "e\u0301.js"], "collision"],
    [["straße.js", "STRASSE.js"], "collision"],
    [["Lib/a.js", "lib/b.js"], "collision"],
    [["a", "a/b"], "file-and-folder"],
    [["a/b", "a"], "file-and-folder"],
    [["A/b", "a"], "collision"],
    [["a/b/c", "a/b/", "a/b"], "file-and-folder"],
  ])("are refused: %p", async (names, rule) => {
    const error = await refusal(
      tarball(names.map((name) => ({ name: `package/${name}`, ...(name.endsWith("/") ? { type: "5" } : {}) }))),
    );
    expect(error.details?.rule).toBe(rule);
  });

  test("are no collision in different folders", async () => {
    expect((await read(tarball([{ name: "package/a/x" }, { name: "package/b/x" }, { name: "package/a/y" }]))).files).toBe(4);
  });
});

describe("an ambiguous archive", () => {
  const plain = { name: "package/a", content: "abc" };
  test.each([
    ["wrong checksum", [{ ...plain, checksum: "000000\0 " }], "checksum"],
    ["unknown magic", [{ ...plain, magic: "wrong  \0" }], "header"],
    ["size of nonsense", [{ ...plain, size: "12x4567890\0" }], "size"],
    ["negative size", [{ ...plain, size: Buffer.from("ff".repeat(12), "hex") }], "size"],
    ["endless size", [{ ...plain, size: Buffer.from(`80${"ff".repeat(11)}`, "hex") }], "size"],
    ["folder with content", [{ name: "package/a/", type: "5", content: "abc" }], "size"],
    ["file that looks like a folder", [{ name: "package/a/", content: "abc" }], "size"],
    ["two sizes", [paxHeader({ size: "1024" }), plain], "size"],
    ["PAX size of nonsense", [paxHeader({ size: "0x3" }), plain], "metadata"],
    ["two long names", [longName("package/x"), paxHeader({ path: "package/y" }), plain], "metadata"],
    ["PAX header twice", [paxHeader({ path: "package/x" }), paxHeader({ path: "package/x" }), plain], "metadata"],
    ["PAX key twice", [rawEntry({ name: "p", type: "x", content: "17 path=package/x\n17 path=package/y\n" }), plain], "metadata"],
    ["PAX length short", [rawEntry({ name: "p", type: "x", content: "5 path=package/x\n" }), plain], "metadata"],
    ["PAX length long", [rawEntry({ name: "p", type: "x", content: "900 path=package/x\n" }), plain], "metadata"],
    ["PAX without key", [rawEntry({ name: "p", type: "x", content: "6 =ab\n" }), plain], "metadata"],
    ["PAX in another charset", [paxHeader({ hdrcharset: "BINARY", path: "package/x" }), plain], "metadata"],
    ["global path", [paxHeader({ path: "package/x" }, "g"), plain], "metadata"],
    ["global size", [paxHeader({ size: "0" }, "g"), plain], "metadata"],
    ["metadata of no entry", [paxHeader({ path: "package/x" })], "truncated"],
    ["data after the end", [plain, endOfArchive, rawEntry({ name: "package/late" })], "after-end"],
  ] as [string, (RawEntry | Buffer)[], string][])("is refused: %s", async (_, entries, rule) => {
    const error = await refusal(tarball(entries));
    expect(error.code).toBe("E_ARCHIVE");
    expect(error.details?.rule).toBe(rule);
  });

  test("is refused when it breaks off, in a header, in content or in the gzip data", async () => {
    const tar = rawTar([manifestOf(), { name: "package/a", content: "x".repeat(1000) }]);
    expect((await refusal(gzipSync(tar.subarray(0, 1024 + 300)))).details?.rule).toBe("truncated");
    expect((await refusal(gzipSync(tar.subarray(0, 1024 + 512 + 999)))).details?.rule).toBe("truncated");
    const packed = gzipSync(tar);
    for (const end of [0, 5, 40, packed.length - 9, packed.length - 1]) {
      expect((await refusal(packed.subarray(0, end))).details?.rule).toBe("gzip");
    }
  });

  test("is refused when it is not gzip data, has a wrong check sum, or something else behind it", async () => {
    const packed = tarball([plain]);
    const damaged = Buffer.from(packed);
    damaged[packed.length - 6] = (damaged[packed.length - 6] as number) ^ 1;
    for (const source of [
      rawTar([manifestOf()]),
      Buffer.from("<html>"),
      damaged,
      Buffer.concat([packed, Buffer.from("extra")]),
    ]) {
      expect((await refusal(source)).details?.rule).toBe("gzip");
    }
  });
});
