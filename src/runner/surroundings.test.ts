import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generation } from "../../test/harness/runner-packages.ts";
import { openTestStore, type TestStore } from "../../test/harness/runner-stage.ts";
import { createRunner, type Runner } from "./index.ts";

describe.each([
  ["bun", undefined],
  ["bun", "marks"],
  ["node", undefined],
  ["node", "marks"],
] as const)("what lies around the store (%s, held by %p)", (runtime, holding) => {
  let around: TestStore;
  let inProject: Pick<Runner, "run">;
  beforeAll(async () => {
    around = await openTestStore();
    const project = around.temp.join("project");
    for (const name of ["stray", "greeter"]) {
      await mkdir(join(project, "node_modules", name), { recursive: true });
      await writeFile(join(project, "node_modules", name, "index.js"), `module.exports = "from outside";`);
      await writeFile(join(project, "node_modules", name, "extra.js"), `module.exports = "from outside";`);
    }
    await mkdir(join(project, "src"));
    await writeFile(join(project, "src", "mapped.js"), `module.exports = "from outside";`);
    await writeFile(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { paths: { inner: ["./src/mapped.js"], mapped: ["./src/mapped.js"] } } }),
    );
    await writeFile(
      join(project, "package.json"),
      JSON.stringify({ name: "project", imports: { "#own": "./src/mapped.js" }, exports: "./src/mapped.js" }),
    );
    await around.serve(generation, 1);
    const runner = createRunner(around.store, holding === undefined ? {} : { holding });
    inProject = { run: (request) => runner.run({ runtime, ...request }) };
  });
  afterAll(() => around[Symbol.asyncDispose]());

  test.each([
    ["import", `import stray from "stray"; console.log(stray)`],
    ["import()", `await import("stray")`],
    ["require", `require("stray")`],
  ])("a script cannot load a project's package (%s)", async (_, script) => {
    const { error } = await inProject.run({ script });
    expect(error).toMatchObject({ code: "E_NOT_ALLOWLISTED", details: { package: "stray" } });
  });

  test("a package cannot, and learns it as of any missing module", async () => {
    const script = `import { undeclared } from "greeter"; let code; try { undeclared() } catch (e: any) { code = e.code } export default code`;
    expect((await inProject.run({ script })).result).toBe("MODULE_NOT_FOUND");
    const { error } = await inProject.run({ script: `import { undeclared } from "greeter"; undeclared()` });
    expect(error?.code).toBe("E_MODULE_NOT_FOUND");
  });

  test("a subpath that a package lacks is not taken from a project's copy of it", async () => {
    expect((await inProject.run({ script: `require("greeter/extra.js")` })).error?.code).toBe("E_SUBPATH");
  });

  test("worker threads cannot either", async () => {
    const worker = `let r; try { r = require("stray") } catch (e) { r = e.code } require("node:worker_threads").parentPort.postMessage(r)`;
    const script = `import { writeFileSync } from "node:fs"; import { Worker } from "node:worker_threads";
      writeFileSync("w.cjs", ${JSON.stringify(worker)});
      export default await new Promise((resolve) => { const w = new Worker("./w.cjs"); w.on("message", (r) => { resolve(r); w.terminate() }) })`;
    expect((await inProject.run({ script })).result).toBe("MODULE_NOT_FOUND");
  });

  const bunTest = runtime === "bun" ? test : () => {};
  bunTest("web workers cannot either", async () => {
    const worker = `let r; try { r = require("stray") } catch (e) { r = e.code } postMessage(r)`;
    const script = `import { writeFileSync } from "node:fs"; writeFileSync("w.js", ${JSON.stringify(worker)});
      export default await new Promise((resolve) => { const w = new Worker("./w.js"); w.onmessage = (e) => { resolve(e.data); w.terminate() } })`;
    expect((await inProject.run({ script })).result).toBe("MODULE_NOT_FOUND");
  });

  bunTest("nor can it after taking plugins away", async () => {
    const script = `import { plugin } from "bun"; const seen: string[] = [];
      Bun.plugin({ name: "own", setup(build) { build.module("virtual", () => ({ exports: { default: 1 }, loader: "object" })) } });
      for (const clear of [() => Bun.plugin.clearAll(), () => plugin.clearAll(), () => Bun.plugin.clearAll.call(undefined)]) {
        clear();
        try { seen.push(require("stray")) } catch (e: any) { seen.push(e.code) }
        try { seen.push((await import("stray/extra.js")).default) } catch (e: any) { seen.push(e.code) }
      }
      try { delete (Bun.plugin as any).clearAll } catch {}
      try { Bun.plugin.clearAll = () => {}; } catch {}
      Bun.plugin.clearAll();
      try { seen.push(require("stray")) } catch (e: any) { seen.push(e.code) }
      export default seen`;
    const { result } = await inProject.run({ script });
    expect(result).toEqual(Array(7).fill(expect.stringMatching(/^(ERR_)?MODULE_NOT_FOUND$/)));
  });

  test("its tsconfig and package.json change nothing", async () => {
    const told = await inProject.run({ script: `import { greet } from "greeter"; export default greet("you")` });
    expect(told.result).toBe("hello you");
    for (const name of ["mapped", "project"])
      expect((await inProject.run({ script: `import x from "${name}"; console.log(x)` })).error?.code).toBe("E_NOT_ALLOWLISTED");
    expect((await inProject.run({ script: `import x from "#own"; console.log(x)` })).error?.code).toBe("E_MODULE_NOT_FOUND");
  });

  test("packages of the tree work as ever, and so do files that the script writes", async () => {
    const script = `import { writeFileSync } from "node:fs"; import { late } from "greeter"; writeFileSync("own.mjs", "export default 3");
      export default [(await late()).default, (await import("./own.mjs")).default]`;
    expect((await inProject.run({ script })).result).toEqual(["late of 1", 3]);
  });
});
