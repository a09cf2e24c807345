import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Integrity, LarderError } from "../contract/index.ts";
import { defaultArchiveLimits } from "./archive-limits.ts";
import { collectingSink } from "./collecting-sink.test-support.ts";
import { longName, manifestOf, paxHeader, rawEntry, rawTar, tarball } from "./raw-tar.test-support.ts";
import { readTarball } from "./read-tarball.ts";
import { label, read, refusal } from "./reading.test-support.ts";

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
