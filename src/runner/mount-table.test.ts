import { expect } from "bun:test";
import { join } from "node:path";
import { openSmallDisk, whyNoSmallDisk } from "../../test/harness/small-disk.ts";
import { openTempDir } from "../../test/harness/temp-dir.ts";
import { testUnless } from "../../test/harness/test-unless.ts";
import { openHostStore } from "../host/index.ts";
import { createRunner } from "./index.ts";

testUnless(whyNoSmallDisk(), "a run can write to its own directory only, also when its store is a mount point", async () => {
  await using temp = await openTempDir("mounts");
  await using disk = await openSmallDisk(64 << 20, temp.join("disk"));
  await using store = await openHostStore({ directory: disk.path });
  const { result, confinement } = await createRunner(store).run({
    script: `import { writeFileSync } from "node:fs";
      const attempt = (path) => { try { writeFileSync(path, "x"); return "written" } catch (e) { return e.code } };
      export default [${JSON.stringify(join(disk.path, "x"))}, "../x", "../../x", "own"].map(attempt)`,
  });
  expect(confinement.processes).toBe("namespace");
  expect(result).toEqual(["EROFS", "EROFS", "EROFS", "written"]);
});
