// Where the processor time of a cold host's unpacking goes: the same tarballs, one step more in each row, each in a process of its own and on one thread.
// Asserts nothing. `npm run bench -- unpack [--rounds N] [--json]`.
import { createHash, type Hash } from "node:crypto";
import { closeSync, futimesSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type ArchiveSink, readTarballNow } from "../src/archive/index.ts";
import { collectTarballs } from "./collect-tarballs.ts";
import { createReport, fileSystemOf, openScratch, readOptions, say } from "./report.ts";

const steps: Record<string, (content: Buffer, directory: string) => void> = {
  "SHA-512 of the tarball": (content) => createHash("sha512").update(content).digest(),
  "inflate, node:zlib": (content) => gunzipSync(content, wholeOutput(content)),
  "inflate, libdeflate": (content) => Bun.gunzipSync(content as Uint8Array<ArrayBuffer>, { library: "libdeflate" }),
  "hash, inflate, archive rules": (content) => unpack(content, { beginFile() {}, data() {}, endFile() {} }),
  "and SHA-256 of each file": (content) => unpack(content, hashing()),
  "and each file written": (content, directory) => unpack(content, hashing(directory)),
};

const [mode, step = "", blobs = "", target = ""] = process.argv.slice(2);
if (mode === "step") measureStep();
else await measureSteps();

/** Prints the processor time, user and system, of all threads. */
function measureStep(): void {
  const contents = readdirSync(blobs).map((name) => readFileSync(join(blobs, name)));
  const work = steps[step];
  if (!work) throw new Error(`no step ${step}`);
  const before = process.cpuUsage();
  for (const [index, content] of contents.entries()) work(content, join(target, `${index}`));
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / 1000);
}

async function measureSteps(): Promise<void> {
  const { rounds, json } = readOptions(7);
  const report = createReport();
  await using scratch = await openScratch("unpack");
  const { files, bytes } = await collectTarballs(scratch.join("tarballs"));
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (const name of Object.keys(steps)) {
      const directory = scratch.join("target");
      mkdirSync(directory);
      const args = [process.execPath, import.meta.path, "step", name, scratch.join("tarballs"), directory];
      const child = Bun.spawn(args, { stdout: "pipe", stderr: "inherit" });
      report.add(name, Number(await new Response(child.stdout).text()));
      if ((await child.exited) !== 0) throw new Error(`${name} failed`);
      await rm(directory, { recursive: true });
    }
  }
  await report.write("unpack", {
    json,
    heading: [
      `${files} tarballs of ${(bytes / 1e6).toFixed(1)} MB. Processor time of one thread and its helpers, ${rounds} rounds, median (minimum–maximum); Bun ${Bun.version}, ${cpus().length} cores, ${await fileSystemOf(scratch.path)}.`,
    ],
    rows: Object.keys(steps).map((name) => ({ title: name, ours: name, peers: [] })),
  });
}

function wholeOutput(content: Buffer): { chunkSize: number } {
  return { chunkSize: content.readUInt32LE(content.length - 4) + 64 };
}

function unpack(content: Buffer, sink: ArchiveSink): void {
  // What is too large to be read at once is read as a stream on a host; here it is left out of every row alike.
  readTarballNow(content, sink, { label: "a tarball" });
}

/** As a host's file writer does it. `directory`: where to; without, files are hashed only. */
function hashing(directory?: string): ArchiveSink {
  const made = new Set<string>();
  let hash: Hash | undefined;
  let descriptor = -1;
  return {
    beginFile({ path, executable }) {
      hash = createHash("sha256");
      if (directory === undefined) return;
      const file = `${directory}/${path}`;
      const folder = dirname(file);
      if (!made.has(folder)) mkdirSync(folder, { recursive: true });
      made.add(folder);
      descriptor = openSync(file, "wx", executable ? 0o555 : 0o444);
    },
    data(chunk) {
      hash?.update(chunk);
      if (directory !== undefined) writeSync(descriptor, chunk);
    },
    endFile() {
      hash?.digest("hex");
      if (directory === undefined) return;
      futimesSync(descriptor, 1, 1);
      closeSync(descriptor);
    },
  };
}
