import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { exitCodeOf, LarderError, type SpecifierTypes, type TypesIndex } from "../../contract/index.ts";
import { undefinedOn } from "../../lib/bare.ts";
import { type CommandContext, defineCommand, type Page } from "../command.ts";
import { type Connection, connect } from "../connection.ts";
import { parseCount } from "../option-values.ts";
import { openProgressLine } from "../render/progress.ts";
import { count, formatBytes } from "../render/quantity.ts";
import type { Style } from "../render/style.ts";
import { type Cell, renderTable } from "../render/table.ts";
import { plain } from "../render/text.ts";
import { fetchTypesFiles, fetchTypesIndex } from "../types-project/fetch-types.ts";
import { markerPath, type Written, writeTypes } from "../types-project/write-types.ts";

interface Options {
  out?: string;
  project?: string;
  generation?: number;
}

export const types = defineCommand<[specifiers: string[]], Options>({
  description:
    "With specifiers: where the declarations of each come from, what they come to, and what is missing. With --project: writes those of the whole allowlist " +
    "into DIR/node_modules, for an editor on this machine; again after an install, it changes what has changed and removes what is gone. " +
    "Files that Larder did not write are never touched. Exit code 4 when a specifier has no types.",
  examples: ["types zod dayjs/plugin/utc", "types react --out /tmp/react-types", "types --project .", "types express --json"],
  args: { specifiers: "as a script imports them: zod, zod/v4, node:fs" },
  configure: (command) =>
    void command
      .option("--out <dir>", "write the declarations of these specifiers below DIR")
      .option("--project <dir>", "write those of the whole allowlist, and a tsconfig.json if there is none")
      .option("--generation <n>", "another generation than the current one", parseCount("--generation")),
  async run(context, [specifiers], options) {
    const directory = targetOf(context, specifiers, options);
    const { environment } = context.settings;
    const connection = await connect(context);
    const wanted = {
      environment,
      specifiers: options.project === undefined ? specifiers : ("all" as const),
      generation: options.generation,
    };
    const index = await fetchTypesIndex(connection, wanted, context.terminal.signal);
    const written =
      directory === undefined
        ? undefined
        : await write(context, connection, { index, directory, isProject: options.project !== undefined });
    const isWhole = index.specifiers.every(({ status }) => status === "typed" || status === "cutOff");
    return {
      json: {
        ...(options.project === undefined ? index : summaryOf(index)),
        ...(written ? { written: { directory, ...written } } : {}),
      },
      exitCode: isWhole || options.project !== undefined ? 0 : exitCodeOf("E_NOT_FOUND"),
      text: (page) => [renderIndex(index, page), ...(written ? [renderWritten(written, directory as string)] : [])].join("\n\n"),
    };
  },
});

function targetOf({ terminal }: CommandContext, specifiers: string[], { out, project }: Options): string | undefined {
  if (project !== undefined && (out !== undefined || specifiers.length > 0)) {
    throw new LarderError("E_INPUT", "--project writes the whole allowlist: it goes with no specifier and without --out.");
  }
  if (project === undefined && specifiers.length === 0) {
    throw new LarderError("E_INPUT", "No specifier was given.", {
      hint: "larder types zod, or larder types --project DIR for all.",
    });
  }
  const directory = project ?? out;
  return directory === undefined ? undefined : resolve(terminal.cwd, directory);
}

/** Without the thousands of files, which are on disk. */
const summaryOf = ({ packages: _, ...index }: TypesIndex): Omit<TypesIndex, "packages"> => index;

interface WrittenTypes extends Written {
  /** Whose tsconfig.json is there. */
  tsconfig: "written" | "yours" | "none";
}

/** Companions whose declarations hold for every file: TypeScript takes those in that it is told of. */
const globalCompanions = ["node", "bun"];

const compilerOptions = {
  target: "esnext",
  module: "esnext",
  moduleResolution: "bundler",
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
};

async function write(
  { terminal }: CommandContext,
  connection: Connection,
  { index, directory, isProject }: { index: TypesIndex; directory: string; isProject: boolean },
): Promise<WrittenTypes> {
  using line = openProgressLine(terminal);
  const files = await fetchTypesFiles(connection, index, {
    signal: terminal.signal,
    onProgress: (done, total) => line.update({ phase: "fetch", done, total }),
  });
  const tsconfig = isProject ? await tsconfigFor(directory, files) : "none";
  const { environment, generation } = index;
  return { ...(await writeTypes(directory, { files, environment, generation })), tsconfig };
}

/** One of ours, unless there is one that is not. */
async function tsconfigFor(directory: string, files: Map<string, string>): Promise<"written" | "yours"> {
  const types = globalCompanions.filter((name) => files.has(`node_modules/@types/${name}/package.json`));
  const text = `${JSON.stringify({ compilerOptions: { ...compilerOptions, types } }, undefined, 2)}\n`;
  const path = join(directory, "tsconfig.json");
  const there = await undefinedOn(["ENOENT", "ENOTDIR"], lstat(path));
  const isOurs = there?.isFile() === true && (await Bun.file(path).text()) === text;
  if (there !== undefined && !isOurs) return "yours";
  files.set("tsconfig.json", text);
  return "written";
}

const paints: Record<SpecifierTypes["status"], keyof Style> = {
  typed: "green",
  cutOff: "yellow",
  pending: "yellow",
  noTypes: "yellow",
  noSuchPath: "red",
  notAllowlisted: "red",
  notInstalled: "red",
  notAPackage: "red",
};
const words: Record<SpecifierTypes["status"], string> = {
  typed: "typed",
  cutOff: "typed, cut off at the limit",
  pending: "in the making",
  noTypes: "no types",
  noSuchPath: "no such path",
  notAllowlisted: "not allowlisted",
  notInstalled: "not installed yet",
  notAPackage: "not a package",
};

function renderIndex(index: TypesIndex, page: Page): string {
  const table = renderTable(
    [{ title: "specifier", shrinkTo: 12 }, { title: "types" }, { title: "from", shrinkTo: 10 }, { title: "entry", shrinkTo: 12 }],
    index.specifiers.map(({ specifier, status, package: from = "", entry = "" }): Cell[] => [
      specifier,
      { text: words[status], paint: paints[status] },
      from,
      entry,
    ]),
    page,
  );
  const { packages, files, bytes } = index.totals;
  const hints = index.specifiers
    .filter(({ hint }) => hint !== undefined)
    .map(({ specifier, hint }) => plain(`${specifier}: ${hint}`));
  return [
    table,
    "",
    `${count(files, "file")} of ${count(packages, "package")}, ${formatBytes(bytes)}, generation ${index.generation}.`,
    ...(index.limit
      ? [`More than one answer carries (${index.limit.files} files, ${formatBytes(index.limit.bytes)}): the rest was left out.`]
      : []),
    ...(index.missing.length > 0
      ? [plain(`Not in this environment, so \`any\` where it is referred to: ${index.missing.join(", ")}.`)]
      : []),
    ...hints,
  ].join("\n");
}

function renderWritten({ written, unchanged, removed, tsconfig }: WrittenTypes, directory: string): string {
  const lines = [
    `${count(written, "file")} written to ${directory}, ${unchanged} as they were, ${removed} removed. ${markerPath} says which they are.`,
  ];
  if (tsconfig === "yours") {
    lines.push(
      'Your tsconfig.json was left alone; it needs "moduleResolution": "bundler" or "nodenext", and "types": ["node"] for Node\'s own.',
    );
  }
  return lines.join("\n");
}
