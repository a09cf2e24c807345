import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Who may import whom; `biome.json` must say the same. */
const mayImport: Record<string, string[]> = {
  lib: [],
  contract: [],
  archive: ["lib", "contract"],
  types: ["lib", "contract", "archive"],
  npm: ["lib", "contract"],
  gateway: ["lib", "contract", "npm"],
  db: ["lib", "contract"],
  blobs: ["lib", "contract", "db"],
  operations: ["lib", "contract", "archive", "types", "npm", "gateway", "db", "blobs"],
  server: ["lib", "contract", "archive", "types", "npm", "gateway", "db", "blobs", "operations"],
  host: ["lib", "contract", "archive"],
  agent: ["lib", "contract", "host"],
  runner: ["lib", "contract", "host"],
  embed: ["contract", "host", "agent", "runner"],
  cli: ["lib", "contract", "host", "agent", "runner", "server"],
  console: ["contract"],
};
const rooms = Object.keys(mayImport);
/** May use `bare.ts`, the door of lib and contract for whatever must start at once. */
const inHaste = ["archive", "host", "cli"];
/** Know `contract` by `for-hosts.ts`, what hosts need of it. */
const onHosts = ["archive", "host", "agent", "runner", "embed"];
const withBun = ["server", "cli"];
const inBrowser = ["contract", "console"];

const root = resolve(import.meta.dir, "..");
const importing = (specifier: string): string => `import { value } from "${specifier}";\nexport const used = value;\n`;

/** One small file per question, so that a single Biome run answers all of them. */
const questions = new Map<string, { source: string; refusedBy: string | undefined }>();
function ask(path: string, source: string, refusedBy: string | undefined): void {
  questions.set(path, { source, refusedBy });
}

const imports = "lint/style/noRestrictedImports";
const globals = "lint/style/noRestrictedGlobals";
for (const from of rooms) {
  const lib = mayImport[from] as string[];
  for (const to of rooms.filter((room) => room !== from)) {
    const refusedBy = lib.includes(to) && !(to === "contract" && onHosts.includes(from)) ? undefined : imports;
    ask(`src/${from}/door-of-${to}.ts`, importing(`../${to}/index.ts`), refusedBy);
    ask(`src/${from}/sub/door-of-${to}.ts`, importing(`../../${to}/index.ts`), refusedBy);
    ask(`src/${from}/inside-${to}.ts`, importing(`../${to}/inner.ts`), imports);
    ask(`src/${from}/inside-sub-${to}.ts`, importing(`../${to}/sub/index.ts`), imports);
    ask(`src/${from}/sub/inside-${to}.ts`, importing(`../../${to}/inner.ts`), imports);
    ask(`src/${from}/lazy-${to}.ts`, `export const used = await import("../${to}/inner.ts");\n`, imports);
    ask(`src/${from}/type-${to}.ts`, `export type { value } from "../${to}/inner.ts";\n`, imports);
  }
  for (const to of ["lib", "contract"].filter((room) => room !== from)) {
    ask(`src/${from}/bare-door-of-${to}.ts`, importing(`../${to}/bare.ts`), inHaste.includes(from) ? undefined : imports);
  }
  if (from !== "contract") {
    ask(
      `src/${from}/door-for-hosts.ts`,
      importing("../contract/for-hosts.ts"),
      [...onHosts, "cli"].includes(from) ? undefined : imports,
    );
  }
  ask(`src/${from}/own.ts`, importing("./inner.ts"), undefined);
  ask(`src/${from}/sub/own.ts`, importing("../inner.ts"), undefined);
  ask(`src/${from}/from-test.ts`, importing("../../test/harness/until.ts"), imports);
  ask(`src/${from}/bun-package.ts`, importing("bun"), withBun.includes(from) ? undefined : imports);
  ask(`src/${from}/bun-sqlite.ts`, importing("bun:sqlite"), withBun.includes(from) ? undefined : imports);
  ask(`src/${from}/bun-global.ts`, "export const used = Bun.version;\n", withBun.includes(from) ? undefined : globals);
  ask(`src/${from}/node-fs.ts`, importing("node:fs"), inBrowser.includes(from) ? imports : undefined);
  ask(`src/${from}/node-process.ts`, "export const used = process.pid;\n", inBrowser.includes(from) ? globals : undefined);
  ask(`src/${from}/from-testing.ts`, importing("./testing/fake.ts"), imports);
  ask(`src/${from}/testing/fake.ts`, importing("../../../test/harness/until.ts"), undefined);
  ask(`src/${from}/testing/bun.ts`, importing("bun:test"), undefined);
  ask(`src/${from}/testing/own.ts`, importing("../inner.ts"), undefined);
  ask(`src/${from}/testing/inside.ts`, importing(`../../${from === "host" ? "db" : "host"}/inner.ts`), imports);
  ask(`src/${from}/own.test.ts`, importing("bun:test"), undefined);
  ask(`src/${from}/inside.test.ts`, importing(`../${from === "host" ? "db" : "host"}/inner.ts`), imports);
}
ask("test/e2e/door.test.ts", importing("../../src/host/index.ts"), undefined);
ask("test/e2e/inside.test.ts", importing("../../src/host/inner.ts"), imports);
ask("src/host/cycle-a.ts", `import { b } from "./cycle-b.ts";\nexport const a = () => b;\n`, "lint/suspicious/noImportCycles");
ask("src/host/cycle-b.ts", `import { a } from "./cycle-a.ts";\nexport const b = () => a;\n`, "lint/suspicious/noImportCycles");

let copy: string;
const verdicts = new Map<string, Set<string>>();

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "larder-walls-"));
  for (const name of ["biome.json", ".gitignore", "package.json"]) cpSync(join(root, name), join(copy, name));
  for (const room of rooms) {
    for (const name of ["index.ts", "inner.ts", "sub/index.ts"]) write(`src/${room}/${name}`, "export const value = 1;\n");
  }
  write("test/harness/until.ts", "export const value = 1;\n");
  for (const [path, { source }] of questions) write(path, source);
  const lint = ["lint", "--reporter=github", "--max-diagnostics=none", "--colors=off", "."];
  const { stdout, stderr } = spawnSync(join(root, "node_modules/.bin/biome"), lint, { cwd: copy, encoding: "utf8" });
  for (const line of stdout.split("\n")) {
    const found = /^::error title=([^,]+),file=([^,]+),/.exec(line);
    if (found) verdictsOf(resolve(copy, found[2] as string).slice(copy.length + 1)).add(found[1] as string);
  }
  if (verdicts.size === 0) throw new Error(`Biome found nothing at all: ${stderr}`);
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe("the linter", () => {
  test("covers every room that exists", () => {
    const found = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(found.map((entry) => entry.name).filter((name) => !rooms.includes(name))).toEqual([]);
    const config = readFileSync(join(root, "biome.json"), "utf8");
    expect(rooms.filter((room) => !config.includes(`"src/${room}/**"`))).toEqual([]);
  });

  test("refuses every import that goes through a wall, and nothing else", () => {
    const wrong = [...questions].flatMap(([path, { refusedBy }]) => {
      const found = [...verdictsOf(path)].filter((rule) => rule !== "lint/style/useNodejsImportProtocol");
      return found.join() === (refusedBy ?? "")
        ? []
        : [`${path}: expected ${refusedBy ?? "nothing"}, got ${found.join() || "nothing"}`];
    });
    expect(wrong).toEqual([]);
  });
});

function write(path: string, source: string): void {
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  writeFileSync(join(copy, path), source);
}

function verdictsOf(path: string): Set<string> {
  const rules = verdicts.get(path) ?? new Set();
  verdicts.set(path, rules);
  return rules;
}
