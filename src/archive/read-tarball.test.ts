import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Integrity, LarderError } from "../contract/index.ts";
import { type ArchiveLimits, defaultArchiveLimits } from "./archive-limits.ts";
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

const label = "demo@1.0.0";

async function read(source: Uint8Array | AsyncIterable<Uint8Array>, options: { limits?: Partial<ArchiveLimits> } = {}) {
  const sink = collectingSink();
  const summary = await readTarball(source, sink, { label, limits: { ...defaultArchiveLimits, ...options.limits } });
  return { ...summary, paths: [...sink.files.keys()], contents: sink.files };
}

async function refusal(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  limits: Partial<ArchiveLimits> = {},
): Promise<LarderError> {
  try {
    await read(source, { limits });
  } catch (error) {
    if (error instanceof LarderError) return error;
    throw error;
  }
  throw new Error("the tarball passed");
}

const pieces = async function* (content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < content.length; offset += size) yield content.subarray(offset, offset + size);
};

describe("a sound tarball", () => {
  const sound = tarball([
    { name: "package/index.js", content: "module.exports = 1;" },
    { name: "package/bin/run", content: "#!/bin/sh\n", mode: "000755 \0" },
    { name: "package/empty", content: "" },
    { name: "package/lib/", type: "5", mode: "000755 \0" },
  ]);

  test("passes its files on, with its root folder stripped", async () => {
    const { paths, contents, files, packageJson, unpackedBytes } = await read(sound);
    expect(paths).toEqual(["package.json", "index.js", "bin/run", "empty"]);
    expect(contents.get("index.js")).toEqual({ content: "module.exports = 1;", executable: false });
    expect(contents.get("bin/run")?.executable).toBe(true);
    expect({ files, packageJson, unpackedBytes }).toEqual({
      files: 4,
      packageJson: { name: "demo", version: "1.0.0" },
      unpackedBytes: 33 + 19 + 10,
    });
  });

  test("is hashed over every byte that was sent, zeros behind the last member included", async () => {
    for (const packed of [sound, Buffer.concat([sound, Buffer.alloc(700)])]) {
      const expected = `sha512-${createHash("sha512").update(packed).digest("base64")}`;
      expect((await read(packed)).integrity as string).toBe(expected);
      expect((await read(pieces(packed, 7))).integrity as string).toBe(expected);
    }
  });

  test("reads the same in one piece, in pieces and as a stream of any chunk size", async () => {
    const big = tarball([
      { name: "package/a", content: "a".repeat(5000) },
      { name: "package/b", content: "b".repeat(513) },
    ]);
    const whole = await read(big);
    for (const size of [1, 13, 512, 4096]) expect((await read(pieces(big, size))).contents).toEqual(whole.contents);
    expect((await read(withLyingTrailer(big))).contents).toEqual(whole.contents);
  });

  test("may come in several gzip members", async () => {
    const tar = rawTar([manifestOf(), { name: "package/a", content: "x".repeat(2000) }]);
    const members = Buffer.concat([
      gzipSync(tar.subarray(0, 700)),
      gzipSync(tar.subarray(700, 701)),
      gzipSync(tar.subarray(701)),
    ]);
    expect((await read(members)).paths).toEqual(["package.json", "a"]);
  });

  test("may lack the zeros at its end", async () => {
    expect((await read(gzipSync(rawEntry(manifestOf())))).paths).toEqual(["package.json"]);
  });

  test.each(["node", "lodash", "retry", ".", "Package with spaces", "ünï"])("may call its root folder %p", async (root) => {
    const packed = tarball(
      [{ name: `${root}/package.json`, content: '{"name":"demo","version":"1.0.0"}' }, { name: `${root}/a/b` }],
      {
        withManifest: false,
      },
    );
    expect((await read(packed)).paths).toEqual(["package.json", "a/b"]);
  });

  test("may start with the global header that git archive writes, and hold other PAX records", async () => {
    const packed = tarball([
      paxHeader({ comment: "0123456789abcdef" }, "g"),
      paxHeader({ mtime: "1700000000.5", "SCHILY.xattr.user.x": "y", path: "package/lib/ünicode.js" }),
      { name: "package/lib/_nicode.js", content: "1" },
    ]);
    expect((await read(packed)).paths).toEqual(["package.json", "lib/ünicode.js"]);
  });

  test("may name long paths by ustar prefix, GNU long name or PAX", async () => {
    const deep = `package/${"d".repeat(70)}/${"e".repeat(70)}`;
    const packed = tarball([
      { name: "ustar.js", prefix: deep },
      longName(`${deep}/gnu.js`),
      { name: `${deep}/gnu.js`.slice(0, 100), magic: "ustar  \0" },
      paxHeader({ path: `${deep}/pax.js` }),
      { name: `${deep}/pax.js`.slice(0, 100) },
    ]);
    const below = deep.slice("package/".length);
    expect((await read(packed)).paths).toEqual(["package.json", `${below}/ustar.js`, `${below}/gnu.js`, `${below}/pax.js`]);
  });

  test("may keep times behind a NUL in the prefix, as node-tar does, and be of a format before POSIX", async () => {
    const prefix = Buffer.alloc(155);
    prefix.write("package/sub");
    prefix.write("14425272773", 131);
    const packed = tarball([
      { name: "xstar.js", prefix },
      { name: "package/v7.js", magic: "\0\0\0\0\0\0\0\0", type: "\0" },
    ]);
    expect((await read(packed)).paths).toEqual(["package.json", "sub/xstar.js", "v7.js"]);
  });

  test.each([
    ["004755 \0", true],
    ["002755 \0", true],
    ["001777 \0", true],
    ["000000 \0", false],
    ["000666 \0", false],
    ["000010 \0", true],
    ["-000755\0", false],
    ["rwxr-xr-", false],
    ["        ", false],
  ])("says of mode %p no more than whether it is executable", async (mode, executable) => {
    const { contents } = await read(tarball([{ name: "package/a", mode }]));
    expect(contents.get("a")?.executable).toBe(executable);
  });

  test.each([
    { uid: "0001750\0" },
    { uid: "20000000000" },
    { uid: "junk" },
    { mtime: "03563020720 " },
    { mtime: "-1" },
    { mtime: "777777777777" },
  ])("has no owner and no time: %p", async (fields) => {
    expect((await read(tarball([{ name: "package/a", ...fields }]))).paths).toContain("a");
  });

  test("warns of names that Windows cannot hold", async () => {
    const { awkwardPaths } = await read(
      tarball(["con", "aux.js", "x.", "x ", "lib/NUL.txt", "fine.js", "icon"].map((n) => ({ name: `package/${n}` }))),
    );
    expect(awkwardPaths).toEqual(["con", "aux.js", "x.", "x ", "lib/NUL.txt"]);
  });

  test("keeps a bundled node_modules", async () => {
    expect((await read(tarball([{ name: "package/node_modules/dep/index.js" }]))).paths).toContain("node_modules/dep/index.js");
  });
});

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

describe("package.json", () => {
  const withManifest = (content: string | Uint8Array, name = "package/package.json") =>
    tarball([{ name, content }], { withManifest: false });

  test("may start with a byte-order mark", async () => {
    const { packageJson } = await read(withManifest('\ufeff{"name":"demo","version":"1.0.0","x":{"a":1,"b":[{"a":1},"a"]}}'));
    expect(packageJson).toEqual({ name: "demo", version: "1.0.0", x: { a: 1, b: [{ a: 1 }, "a"] } });
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "{name: 1}"],
    ["not UTF-8", Buffer.from('{"name":"\xff","version":"1.0.0"}', "latin1")],
    ["an array", "[]"],
    ["null", "null"],
    ["no version", '{"name":"demo"}'],
    ["a number for a version", '{"name":"demo","version":1}'],
    ["a key twice", '{"name":"demo","version":"1.0.0","name":"other"}'],
    ["a key twice, once escaped", '{"name":"demo","version":"1.0.0","n\\u0061me":"other"}'],
    ["a key twice within", '{"name":"demo","version":"1.0.0","exports":{".":"a","x":[1,{"y":2}],".":"b"}}'],
    ["__proto__", '{"name":"demo","version":"1.0.0","x":{"__proto__":{"a":1}}}'],
    ["endless nesting", "[".repeat(500_000)],
  ])("is refused with %s", async (_, content) => {
    expect((await refusal(withManifest(content))).details?.rule).toBe("package-json");
  });

  test("is refused when it is missing, elsewhere, or too big", async () => {
    expect((await refusal(withManifest("{}", "package/index.js"))).details?.rule).toBe("package-json");
    expect((await refusal(withManifest('{"name":"a","version":"1.0.0"}', "package/sub/package.json"))).details?.rule).toBe(
      "package-json",
    );
    const big = await refusal(withManifest(`{"name":"demo","version":"1.0.0","x":"${"y".repeat(9 * 1024 * 1024)}"}`));
    expect(big.code).toBe("E_TOO_LARGE");
    expect(big.details).toMatchObject({ limit: defaultArchiveLimits.packageJsonBytes, entry: "package.json" });
  });
});

describe("expected integrity", () => {
  const packed = tarball([{ name: "package/a", content: "abc" }]);
  const wrong = `sha512-${"A".repeat(86)}==` as Integrity;

  test("is checked before the first file reaches the sink, and both digests are shown", async () => {
    const sink = collectingSink();
    const outcome = await readTarball(packed, sink, { label, expected: wrong }).catch((error) => error);
    expect(outcome.code).toBe("E_INTEGRITY");
    expect(outcome.details).toMatchObject({ expected: wrong, found: (await read(packed)).integrity });
    expect(sink.files.size).toBe(0);
  });

  test("outranks what is wrong with other bytes", async () => {
    for (const source of [Buffer.from("<html>"), packed.subarray(0, 50), pieces(packed.subarray(0, 50), 9)]) {
      const outcome = await readTarball(source, collectingSink(), { label, expected: wrong }).catch((error) => error);
      expect(outcome.code).toBe("E_INTEGRITY");
    }
  });

  test("lets the right bytes pass", async () => {
    const expected = (await read(packed)).integrity;
    expect((await readTarball(pieces(packed, 11), collectingSink(), { label, expected })).integrity).toBe(expected);
  });
});

describe("a source that fails or is abandoned", () => {
  test("hands its own error on, and is closed", async () => {
    const failure = new LarderError("E_SERVER_UNREACHABLE", "the line is dead");
    const failing = async function* () {
      yield tarball([]).subarray(0, 20);
      throw failure;
    };
    expect(await refusal(failing())).toBe(failure);
  });

  test("is closed when the signal aborts", async () => {
    const controller = new AbortController();
    let closed = false;
    const endless = async function* () {
      try {
        for (;;) {
          yield Buffer.alloc(1024);
          controller.abort();
        }
      } finally {
        closed = true;
      }
    };
    const outcome = await readTarball(endless(), collectingSink(), { label, signal: controller.signal }).catch((error) => error);
    expect(outcome.name).toBe("AbortError");
    expect(closed).toBe(true);
  });
});

/** The trailer claims more than there is, which sends the reader down the streaming path. */
function withLyingTrailer(packed: Buffer): Buffer {
  return Buffer.concat([packed, gzipSync(Buffer.alloc(0)), Buffer.alloc(3), Buffer.alloc(1)]);
}
