import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openTempDir } from "../../test/harness/temp-dir.ts";
import { createFileWriter } from "./file-writer.ts";

const write = (root: string) => {
  mkdirSync(root, { mode: 0o755 });
  const writer = createFileWriter(root);
  for (const [path, executable] of [
    ["lib/a.js", false],
    ["bin/b", true],
  ] as const) {
    writer.beginFile({ path, sizeBytes: 1, executable });
    writer.data(Buffer.from("x"));
    writer.endFile();
  }
  return ["lib", "lib/a.js", "bin/b"].map((path) => (statSync(join(root, path)).mode & 0o777).toString(8));
};

test.each([0o022, 0o077, 0o027, 0o111, 0])(
  "under umask %o files and folders have the modes that packages need",
  async (umask) => {
    await using directory = await openTempDir("umask");
    const before = process.umask(umask);
    try {
      expect(write(directory.join("root"))).toEqual(["755", "444", "555"]);
    } finally {
      process.umask(before);
    }
  },
);

test("nothing in the host asks for the umask, which would set it for all threads", async () => {
  const asks = [...new Bun.Glob("**/*.ts").scanSync(import.meta.dir)].filter(
    (file) => !file.endsWith(".test.ts") && readFileSync(join(import.meta.dir, file), "utf8").includes("process.umask("),
  );
  expect(asks).toEqual([]);
});
