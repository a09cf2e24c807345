import { describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import * as tar from "tar";
import { LarderError } from "../contract/index.ts";
import { collectingSink } from "./collecting-sink.test-support.ts";
import { foldPath } from "./entry-path.ts";
import { manifestOf, paxHeader, rawEntry, rawTar } from "./raw-tar.test-support.ts";
import { readTarball } from "./read-tarball.ts";

const label = "fuzzed@1.0.0";
const component = fc
  .stringMatching(/^[A-Za-z0-9._ @+éß漢-]{1,40}$/)
  .filter((name) => !/^\.{1,2}$/.test(name) && !/^[A-Za-z]:/.test(name) && Buffer.byteLength(name) <= 255);
const path = fc.array(component, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
const tree = fc
  .uniqueArray(fc.record({ path, content: fc.string({ maxLength: 1500 }), executable: fc.boolean() }), {
    maxLength: 12,
    selector: (file) => foldPath(file.path),
  })
  .filter((files) => hasNoClash(files.map((file) => file.path)));

function hasNoClash(paths: string[]): boolean {
  const folds = new Map<string, string>([["package.json", "package.json"]]);
  for (const one of paths) {
    const parts = one.split("/");
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const prefix = parts.slice(0, depth).join("/") + (depth < parts.length ? "/" : "");
      const fold = foldPath(prefix.replace(/\/$/, ""));
      const known = folds.get(fold);
      if (known !== undefined && (known !== prefix || depth === parts.length)) return false;
      folds.set(fold, prefix);
    }
  }
  return true;
}

describe("against node-tar", () => {
  test("an archive that node-tar writes reads back as the files it was made of", async () => {
    const directory = await mkdtemp(join(tmpdir(), "larder-archive-"));
    try {
      let round = 0;
      await fc.assert(
        fc.asyncProperty(tree, fc.boolean(), async (files, noPax) => {
          const root = join(directory, `${round++}`, "package");
          await mkdir(root, { recursive: true });
          await writeFile(join(root, "package.json"), '{"name":"demo","version":"1.0.0"}');
          for (const file of files) {
            await mkdir(dirname(join(root, file.path)), { recursive: true });
            await writeFile(join(root, file.path), file.content, { mode: file.executable ? 0o755 : 0o644 });
          }
          const packed = await tar.create({ gzip: true, cwd: dirname(root), noPax, portable: true }, ["package"]).concat();
          const sink = collectingSink();
          await readTarball(packed, sink, { label });
          const expected = new Map(
            files.map((file) => [
              file.path,
              { content: Buffer.from(file.content).toString("latin1"), executable: file.executable },
            ]),
          );
          sink.files.delete("package.json");
          expect(new Map([...sink.files].sort())).toEqual(new Map([...expected].sort()));
          await rm(dirname(root), { recursive: true });
        }),
        { numRuns: 60 },
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  test("what passes here, node-tar unpacks to the same files", async () => {
    const directory = await mkdtemp(join(tmpdir(), "larder-archive-"));
    const valid = rawTar([
      manifestOf(),
      { name: "package/a.js", content: "a".repeat(700) },
      paxHeader({ path: "package/lib/ünicode.js", mtime: "1.5" }),
      { name: "package/lib/x", content: "b", mode: "000755 \0" },
      { name: "c.js", prefix: "package/deep/er", content: "" },
      { name: "package/dir/", type: "5", mode: "000755 \0" },
    ]);
    let passed = 0;
    let round = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(mutation, { maxLength: 4 }), async (mutations) => {
          const packed = gzipSync(mutate(valid, mutations), { level: 1 });
          const sink = collectingSink();
          try {
            await readTarball(packed, sink, { label });
          } catch (error) {
            expect(error).toBeInstanceOf(LarderError);
            return;
          }
          passed += 1;
          const out = join(directory, `${round++}`);
          await mkdir(out);
          await writeFile(`${out}.tgz`, packed);
          let complained = false;
          const onwarn = () => {
            complained = true;
          };
          await tar.extract({ file: `${out}.tgz`, cwd: out, strip: 1, strict: false, noMtime: true, onwarn });
          const theirs = await filesBelow(out);
          const ours = new Map([...sink.files].map(([name, file]) => [name, file.content] as const));
          // It leaves out entries, or the metadata before them, over a field that does not count here: a time, say.
          if (!complained) expect(theirs).toEqual(new Map([...ours].sort()));
          for (const name of theirs.keys()) expect(name).not.toMatch(/^\/|\\/);
          await rm(out, { recursive: true });
        }),
        { numRuns: 1500 },
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    expect(passed).toBeGreaterThan(30);
  }, 60_000);
});

describe("on bytes of any kind", () => {
  test("the only failure is a coded refusal that names the package", async () => {
    const outcome = async (source: Uint8Array) => {
      const sink = collectingSink();
      try {
        await readTarball(source, sink, { label });
      } catch (error) {
        expect(error).toBeInstanceOf(LarderError);
        expect((error as LarderError).message).toContain(label);
        expect(["E_ARCHIVE", "E_TOO_LARGE"]).toContain((error as LarderError).code);
      }
      for (const name of sink.files.keys()) expect(name).not.toMatch(/^\/|(?:^|\/)\.\.(?:\/|$)|\\|\0/);
    };
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), outcome), { numRuns: 100 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), (bytes) => outcome(gzipSync(bytes))),
      { numRuns: 300 },
    );
    const packed = gzipSync(rawTar([manifestOf(), { name: "package/a", content: "abc" }]));
    await fc.assert(
      fc.asyncProperty(fc.nat(packed.length - 1), fc.nat(255), (at, value) =>
        outcome(Buffer.from(packed).fill(value, at, at + 1)),
      ),
      { numRuns: 300 },
    );
  });

  test("a repaired checksum does not help a hostile header", async () => {
    const base = rawEntry({ name: "package/a", content: "abc" });
    await fc.assert(
      fc.asyncProperty(fc.nat(511), fc.uint8Array({ minLength: 1, maxLength: 12 }), async (at, bytes) => {
        const block = Buffer.from(base);
        block.set(bytes.subarray(0, 512 - at), at);
        const sink = collectingSink();
        const packed = gzipSync(rawTar([manifestOf(), withChecksum(block)]));
        await readTarball(packed, sink, { label }).catch((error) => expect(error).toBeInstanceOf(LarderError));
        for (const name of sink.files.keys()) expect(name).not.toMatch(/^\/|(?:^|\/)\.\.(?:\/|$)|\\|\0/);
        expect(gunzipSync(packed).length % 512).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});

/** A byte of some header changed, with its checksum made right again. */
const mutation = fc.record({
  header: fc.nat(20),
  at: fc.nat(511),
  value: fc.constantFrom(0, 0x20, 0x2e, 0x2f, 0x30, 0x31, 0x35, 0x37, 0x5c, 0x78, 0x80, 0xff),
});

function mutate(valid: Buffer, mutations: { header: number; at: number; value: number }[]): Buffer {
  const copy = Buffer.from(valid);
  const blocks = copy.length / 512;
  for (const { header, at, value } of mutations) {
    const offset = (header % blocks) * 512;
    copy[offset + at] = value;
    if (copy.toString("latin1", offset + 257, offset + 262) === "ustar")
      copy.set(withChecksum(copy.subarray(offset, offset + 512)), offset);
  }
  return copy;
}

function withChecksum(entry: Buffer): Buffer {
  const block = Buffer.from(entry);
  block.fill(0x20, 148, 156);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

async function filesBelow(directory: string): Promise<Map<string, string>> {
  const files: [string, string][] = [];
  for (const name of await readdir(directory, { recursive: true })) {
    const full = join(directory, name);
    if ((await stat(full)).isFile()) files.push([name, (await readFile(full)).toString("latin1")]);
  }
  return new Map(files.sort());
}
