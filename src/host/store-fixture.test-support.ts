import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  type BlobKey,
  blobKeyOf,
  canonicalJson,
  type Integrity,
  type LockfileHash,
  type Manifest,
  manifestSchema,
  type Platform,
} from "../contract/for-hosts.ts";
import { type HostStore, openHostStore } from "./host-store.ts";
import { type Materialised, materialise } from "./materialise.ts";
import { planTree, type TreePlan } from "./plan-tree.ts";
import { openStoreWriter, type StoreWriter } from "./store-writer.ts";

export const linux: Platform = { os: "linux", cpu: "x64", libc: "glibc" };

export interface FixturePackage {
  /** Alias → `name@version` (or another node id). */
  dependencies?: Record<string, string>;
  optional?: string[];
  os?: string[];
  /** Path → content, beside `package.json`. */
  files?: Record<string, string>;
  /** Serves another package's tarball, by its id. */
  tarballOf?: string;
}

/** A registry's worth of tarballs and the manifest that resolves to them. Node ids are `name@version`, with `(…)` for a peer context. */
export function fixture(roots: Record<string, string>, packages: Record<string, FixturePackage>) {
  const blobs = new Map<BlobKey, Buffer>();
  const nodes = Object.entries(packages).map(([id, { dependencies = {}, tarballOf, files = {}, ...rest }]) => {
    const { name, version } = parseId(id);
    const source = tarballOf === undefined ? { name, version } : parseId(tarballOf);
    const packed = packageTarball(source.name, source.version, files);
    const integrity = `sha512-${createHash("sha512").update(packed).digest("base64")}` as Integrity;
    blobs.set(blobKeyOf(integrity), packed);
    return [id, { name, version, integrity, dependencies, ...rest }];
  });
  const manifest: Manifest = manifestSchema.parse({ format: 1, roots, nodes: Object.fromEntries(nodes) });
  const lockfileHash = createHash("sha256").update(canonicalJson(manifest)).digest("hex") as LockfileHash;
  const fetched: BlobKey[] = [];
  const fetchBlob = async (key: BlobKey): Promise<AsyncIterable<Uint8Array>> => {
    fetched.push(key);
    const content = blobs.get(key);
    if (!content) throw new Error(`no blob ${key}`);
    return chunked(content);
  };
  return {
    manifest,
    lockfileHash,
    blobs,
    fetchBlob,
    fetched,
    plan: (platform = linux) => planTree(manifest, { lockfileHash, platform }),
  };
}
export type Fixture = ReturnType<typeof fixture>;

async function* chunked(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < content.length; offset += 1000) yield content.subarray(offset, offset + 1000);
}

function parseId(id: string): { name: string; version: string } {
  const plain = id.replace(/\(.*$/, "");
  const at = plain.lastIndexOf("@");
  return { name: plain.slice(0, at), version: plain.slice(at + 1) };
}

/** `index.js` exports the version unless `files` says otherwise; a name that starts with `bin/` is executable. */
export function packageTarball(name: string, version: string, files: Record<string, string> = {}): Buffer {
  const all = {
    "package.json": JSON.stringify({ name, version, main: "index.js" }),
    "index.js": `module.exports = ${JSON.stringify(`${name}@${version}`)};`,
    ...files,
  };
  const blocks = Object.entries(all).flatMap(([path, content]) => tarEntry(`package/${path}`, content, path.startsWith("bin/")));
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]), { level: 1 });
}

function tarEntry(path: string, text: string, executable: boolean): Buffer[] {
  const content = Buffer.from(text);
  const header = Buffer.alloc(512);
  header.write(path);
  header.write(executable ? "0000755\0" : "0000644\0", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

/** A store and its writer in a directory of their own, all gone afterwards. */
export interface TestStore extends AsyncDisposable {
  store: HostStore;
  writer: StoreWriter;
  build(fixture: Fixture): Promise<Materialised>;
}

export async function openTestStore(options: Partial<Parameters<typeof openHostStore>[0]> = {}): Promise<TestStore> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "larder-host-")));
  const store = await openHostStore({ platform: linux, ...options, directory });
  const writer = await openStoreWriter(store, { purpose: "test" });
  return {
    store,
    writer,
    build: (built) => buildPlan(writer, built, built.plan(store.platform)),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const buildPlan = (writer: StoreWriter, { fetchBlob }: Fixture, plan: TreePlan): Promise<Materialised> =>
  materialise(writer, plan, { fetchBlob, signal: new AbortController().signal });

export async function failureOf(
  task: Promise<unknown>,
): Promise<{ code: string; message: string; details?: Record<string, unknown>; hint?: string }> {
  try {
    await task;
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("it did not fail");
}
