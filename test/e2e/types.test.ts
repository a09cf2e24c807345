import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type TypesBundle, type TypesIndex, typesBundleSchema, typesIndexSchema } from "../../src/contract/index.ts";
import { openRegistryMirror, whyNoRegistry } from "../harness/registry-mirror.ts";
import { spawnProcess } from "../harness/spawned.ts";
import { testUnless } from "../harness/test-unless.ts";
import { until } from "../harness/until.ts";
import { type LarderStack, openLarderStack } from "./larder-stack.ts";
import { realPackages } from "./real-packages.ts";
import { companions, typedScripts } from "./typed-scripts.ts";

const specifiers = Object.keys(typedScripts);
const tsc = resolve(import.meta.dir, "../../node_modules/.bin/tsc");

/** How editors and runtimes resolve; whichever a user has chosen, what was served is enough. */
const bundler = { module: "esnext", moduleResolution: "bundler" };
const node = { module: "nodenext", moduleResolution: "nodenext" };

describe(`types of ${specifiers.length} specifiers of well-known packages`, async () => {
  const mirror = await openRegistryMirror();
  const skip = await whyNoRegistry(mirror);
  let stack: LarderStack;
  beforeAll(async () => {
    if (skip !== undefined) return;
    stack = await openLarderStack({ registry: mirror.url, kind: "serve" });
    await stack.add(...Object.entries({ ...realPackages, ...companions }).map((pin) => pin.join("@")));
    await stack.larder(["install"]);
  }, 300_000);
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await mirror[Symbol.asyncDispose]();
  });

  // Nothing was asked for yet: what is first is cold.
  testUnless(
    skip,
    "what an answer takes, cold and warm",
    async () => {
      const row = (...cells: (string | number)[]) =>
        console.log(cells.map((cell, i) => (i ? String(cell).padStart(13) : String(cell).padEnd(22))).join(""));
      row("specifier", "cold ms", "warm ms", "304 ms", "packages", "files", "index bytes", "bundle bytes");
      for (const specifier of ["zod", "lodash", "react", "@aws-sdk/client-s3"]) {
        const path = `/environments/default/types?specifier=${encodeURIComponent(specifier)}`;
        const timed = async <T>(work: () => Promise<T>): Promise<[T, string]> => {
          const startedAt = performance.now();
          return [await work(), (performance.now() - startedAt).toFixed(1)];
        };
        const [index, cold] = await timed(() => askFor(stack, specifier));
        const [answer, warm] = await timed(async () => await stack.api(path, { headers: { "accept-encoding": "gzip" } }));
        const etag = answer.headers.get("etag") ?? "";
        const [same, unchanged] = await timed(() => stack.api(path, { headers: { "if-none-match": etag } }));
        expect(same.status).toBe(304);
        const sizes = await Promise.all(index.packages.map(({ bundle }) => packedSize(stack, bundle)));
        const total = sizes.reduce((sum, size) => sum + size, 0);
        row(
          specifier,
          cold,
          warm,
          unchanged,
          index.totals.packages,
          index.totals.files,
          Bun.gzipSync(await answer.text()).length,
          total,
        );
      }
    },
    120_000,
  );

  testUnless(skip, "`larder types` says where they come from, and what there is not", async () => {
    const shown = await stack.larder(["types", "zod", "left-pad", "express"]);
    expect([
      shown.code,
      shown.json<TypesIndex>().specifiers.map(({ specifier, status, package: from }) => [specifier, status, from]),
    ]).toEqual([
      4,
      [
        ["zod", "typed", "zod@4.1.12"],
        ["left-pad", "notAllowlisted", undefined],
        ["express", "typed", "@types/express@4.17.21"],
      ],
    ]);
  });

  testUnless(
    skip,
    "`larder types --project` writes what a local editor needs, and changes nothing the second time",
    async () => {
      const directory = stack.join("project");
      await mkdir(directory);
      const write = async () =>
        (await stack.larder(["types", "--project", directory])).json<{ written: Record<string, number> }>().written;
      const first = await write();
      expect(first.written).toBeGreaterThan(1000);
      expect(await write()).toMatchObject({ written: 0, removed: 0, unchanged: first.written as number });
      const scripts = ["zod", "express", "react", "node:fs/promises", "@aws-sdk/client-s3"];
      for (const [i, specifier] of scripts.entries()) await writeFile(join(directory, `s${i}.ts`), typedScripts[specifier] ?? "");
      await using process = spawnProcess(tsc, ["-p", directory, "--pretty", "false"], { cwd: directory });
      expect([(await process.exited).code, process.stdout()]).toEqual([0, ""]);
    },
    120_000,
  );

  for (const specifier of specifiers) {
    testUnless(
      skip,
      `${specifier} type-checks against exactly what is served`,
      async () => {
        const index = await askFor(stack, ...importsOf(specifier));
        expect(index.specifiers.filter(({ status }) => status !== "typed")).toEqual([]);
        const directory = stack.join("types", specifier.replaceAll("/", "__"));
        await writeFiles(stack, index, directory);
        await writeFile(join(directory, "package.json"), JSON.stringify({ private: true, type: "module" }));
        await writeFile(join(directory, "script.ts"), typedScripts[specifier] ?? "");
        for (const resolution of isDual(index) ? [bundler, node] : [bundler]) {
          const found = await typeCheck(directory, resolution, index);
          expect(unexpected(found, index)).toEqual([]);
        }
      },
      60_000,
    );
  }

  testUnless(skip, "a bundle is asked for once, whatever refers to it", async () => {
    const [react, dom] = [await askFor(stack, "react"), await askFor(stack, "react-dom/client")];
    const bundleOf = (index: TypesIndex) => index.packages.find(({ path }) => path === "node_modules/@types/react")?.bundle;
    expect(bundleOf(dom)).toBe(bundleOf(react) as NonNullable<ReturnType<typeof bundleOf>>);
  });
});

/** Until it is final: declarations that are outlined just now are `pending`. */
async function askFor(stack: LarderStack, ...wanted: string[]): Promise<TypesIndex> {
  const query = wanted.map((specifier) => `specifier=${encodeURIComponent(specifier)}`).join("&");
  return await until(
    `the types of ${wanted} are final`,
    async () => {
      const index = typesIndexSchema.parse(await (await stack.api(`/environments/default/types?${query}`)).json());
      if (!index.final) throw new Error(JSON.stringify(index.specifiers));
      return index;
    },
    { timeoutMs: 60_000 },
  );
}

/** What its script imports. */
const importsOf = (specifier: string): string[] =>
  [...(typedScripts[specifier] ?? "").matchAll(/from "([^"]+)"/g)].map(([, name = ""]) => name);

const packedSize = async (stack: LarderStack, key: string): Promise<number> =>
  Bun.gzipSync(await (await stack.api(`/environments/default/types/${key}`)).bytes(), { level: 6 }).length;

const bundles = new Map<string, TypesBundle>();

async function bundleOf(stack: LarderStack, key: string): Promise<TypesBundle> {
  const known = bundles.get(key);
  if (known) return known;
  const bundle = typesBundleSchema.parse(await (await stack.api(`/environments/default/types/${key}`)).json());
  bundles.set(key, bundle);
  return bundle;
}

/** The files of an answer, where it says. */
async function writeFiles(stack: LarderStack, index: TypesIndex, directory: string): Promise<void> {
  for (const { path, bundle: key, files } of index.packages) {
    const bundle = await bundleOf(stack, key);
    for (const file of files) {
      const target = join(directory, path, file);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, bundle.texts[bundle.files[file] as number] as string);
    }
  }
}

/** Where the two can differ. */
const isDual = ({ packages }: TypesIndex): boolean => packages.some(({ files }) => files.some((file) => /\.[cm]ts$/.test(file)));

interface Diagnostic {
  file: string;
  code: string;
  text: string;
}

async function typeCheck(directory: string, resolution: typeof bundler, index: TypesIndex): Promise<Diagnostic[]> {
  const config = join(directory, `tsconfig.${resolution.moduleResolution}.json`);
  const compilerOptions = {
    ...resolution,
    target: "es2024",
    lib: ["es2024", "dom", "dom.iterable"],
    strict: true,
    noEmit: true,
    // All declarations are checked but TypeScript's own: that is most of the time, and says nothing of ours.
    skipDefaultLibCheck: true,
    esModuleInterop: true,
    types: index.packages.some(({ path }) => path === "node_modules/@types/node") ? ["node"] : [],
  };
  await writeFile(config, JSON.stringify({ compilerOptions, files: ["script.ts"] }));
  await using process = spawnProcess(tsc, ["-p", config, "--pretty", "false"], { cwd: directory });
  await process.exited;
  return [...process.stdout().matchAll(/^(?:([^\n(]+)\(\d+,\d+\): )?error (TS\d+): (.*)$/gm)].map(
    ([, file = "", code = "", text = ""]) => ({
      file,
      code,
      text,
    }),
  );
}

/** Whatever is wrong with the script, and every file or module that a served declaration does not find although nobody said that it is missing. */
function unexpected(found: readonly Diagnostic[], index: TypesIndex): Diagnostic[] {
  const notFound = new Set(["TS2307", "TS2688", "TS6053", "TS7016", "TS2306"]);
  const isKnown = ({ text }: Diagnostic) =>
    index.missing.some((name) => text.includes(`'${name}`) || text.includes(`'${name.replace("@types/", "")}`));
  return found.filter((each) => each.file === "script.ts" || each.file === "" || (notFound.has(each.code) && !isKnown(each)));
}

test("there are at least 30", () => expect(specifiers.length).toBeGreaterThanOrEqual(30));
