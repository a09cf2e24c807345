import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const src = resolve(import.meta.dir, "..");

/** What evaluating these files evaluates with them: files below `src`, and packages. What they import later, on demand, is not among it. */
function loadedWith(...entries: string[]): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = entries.map((entry) => join(src, entry));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    if (!path.endsWith(".ts")) continue;
    // Imports of nothing but types are gone by then.
    const imports = new Bun.Transpiler({ loader: "ts" }).scan(readFileSync(path, "utf8")).imports;
    for (const { path: specifier, kind } of imports) {
      if (kind === "dynamic-import" || specifier.startsWith("node:")) continue;
      if (specifier.startsWith(".")) waiting.push(resolve(dirname(path), specifier));
      else packages.add(specifier);
    }
  }
  return { files: [...files].map((path) => relative(src, path)).toSorted(), packages: [...packages].toSorted() };
}

test("the version and the list of all commands need the grammar alone: no schemas, no log, no command's code", () => {
  const { files, packages } = loadedWith("cli/main.ts");
  expect(packages).toEqual(["commander"]);
  expect(files.filter((file) => file.startsWith("cli/commands/"))).toEqual([]);
  expect(files.filter((file) => file.endsWith("/index.ts"))).toEqual([]);
});

test("a host looks for news without the API's schemas, its client, a log or the reader of archives", () => {
  const ofHosts = ["agent", "reconcile", "verify", "run", "sweep"].map((name) => `cli/commands/${name}.ts`);
  const { files, packages } = loadedWith(
    "cli/create-context.ts",
    ...ofHosts,
    "host/index.ts",
    "agent/index.ts",
    "runner/index.ts",
  );
  expect(files).not.toContain("contract/index.ts");
  expect(files).not.toContain("contract/routes.ts");
  expect(files.filter((file) => file.startsWith("archive/"))).toEqual([]);
  expect(packages.filter((name) => name.startsWith("@orpc/") || name === "pino")).toEqual([]);
});

test("no command's code loads the server or the database before the command runs", () => {
  const all = [...new Bun.Glob("*.ts").scanSync(join(src, "cli/commands"))].filter((name) => !name.includes(".test."));
  const { files, packages } = loadedWith("cli/create-context.ts", ...all.map((name) => `cli/commands/${name}`));
  expect(files.filter((file) => /^(server|operations|db|blobs|gateway|npm|types)\//.test(file))).toEqual([]);
  expect(packages.filter((name) => /pglite|postgres|drizzle|aws|server/.test(name))).toEqual([]);
});
