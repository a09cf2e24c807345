import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { LarderError, type Policy, type PolicyChange, parsePackageName } from "../contract/index.ts";
import { parseAge, parseJson, parseWhole } from "./option-values.ts";
import { parseByteCount } from "./setting-values.ts";

/** What `policy set` and `policy test` take. */
export interface PolicyOptions extends CapOptions {
  releaseAge?: number;
  deprecated?: Policy["deprecated"];
  installScripts?: Policy["installScripts"];
  block?: string[];
  unblock?: string[];
  extend?: string[];
  unextend?: string[];
  knownExtensions?: boolean;
  file?: string;
  reset?: boolean;
}

type CapOptions = { [Cap in `${"warn" | "block"}${"Packed" | "Unpacked" | "Files" | "Nodes"}`]?: number | null };

const actions = ["allow", "flag", "refuse"];
const caps = [
  ["packed", "packedBytes", "bytes of tarballs, such as 300MB"],
  ["unpacked", "unpackedBytes", "bytes unpacked, such as 2GB"],
  ["files", "files", "files"],
  ["nodes", "nodes", "packages in the graph"],
] as const;

export function addPolicyOptions(command: Command): void {
  command
    .addOption(
      new Option("--release-age <time>", "take nothing younger, such as 3d; 0 for any").argParser(parseAge("--release-age")),
    )
    .addOption(new Option("--deprecated <action>", "what becomes of deprecated versions").choices(actions))
    .addOption(new Option("--install-scripts <action>", "what becomes of versions with install scripts").choices(actions))
    .option("--block <versions...>", "never take NAME, or NAME@RANGE")
    .option("--unblock <names...>", "take back what --block said of NAME, or of NAME@RANGE")
    .option("--extend <dependencies...>", "PACKAGE[@RANGE]:DEPENDENCY@RANGE, which PACKAGE imports and does not declare")
    .option("--unextend <names...>", "take back what --extend said of PACKAGE, or of PACKAGE:DEPENDENCY")
    .addOption(
      new Option("--known-extensions <on|off>", "whether to add undeclared dependencies that are widely known").argParser(
        parseSwitch,
      ),
    );
  for (const [flag, , what] of caps) {
    for (const severity of ["warn", "block"] as const) {
      const option = `--${severity}-${flag}`;
      command.addOption(
        new Option(`${option} <amount>`, `${severity === "warn" ? "warn" : "refuse"} above: ${what}; or none`).argParser(
          parseAmount(option, flag),
        ),
      );
    }
  }
  command
    .option("--file <path>", "a JSON file with a change, as the API takes it")
    .option("--reset", "start from the default policy");
}

/** The change that the options describe, given the policy it is of: lists are sent whole. */
export async function policyChangeFrom(options: PolicyOptions, current: Policy): Promise<PolicyChange> {
  const change: PolicyChange = options.file === undefined ? {} : await readChange(options.file);
  if (options.releaseAge !== undefined) change.minReleaseAgeMs = options.releaseAge;
  if (options.deprecated !== undefined) change.deprecated = options.deprecated;
  if (options.installScripts !== undefined) change.installScripts = options.installScripts;
  if (options.knownExtensions !== undefined) change.knownExtensions = options.knownExtensions;
  if (options.block || options.unblock) change.blocked = changedBlocks(options, current);
  if (options.extend || options.unextend) change.extensions = changedExtensions(options, current);
  for (const [flag, cap] of caps) {
    const suffix = `${flag[0]?.toUpperCase()}${flag.slice(1)}` as "Packed";
    const [warn, block] = [options[`warn${suffix}`], options[`block${suffix}`]];
    if (warn === undefined && block === undefined) continue;
    const before = current.caps[cap];
    change.caps = {
      ...change.caps,
      [cap]: { warn: warn === undefined ? before.warn : warn, block: block === undefined ? before.block : block },
    };
  }
  return change;
}

function changedBlocks({ block = [], unblock = [] }: PolicyOptions, { blocked }: Policy): Policy["blocked"] {
  const gone = unblock.map(parseSubject);
  const added = block.map(parseSubject).map(({ name, range = "*" }) => ({ name, range }));
  const isGone = (entry: Policy["blocked"][number]) =>
    gone.some(({ name, range }) => entry.name === name && (range === undefined || range === entry.range));
  const kept = blocked.filter(
    (entry) => !isGone(entry) && !added.some(({ name, range }) => name === entry.name && range === entry.range),
  );
  return [...kept, ...added];
}

function changedExtensions({ extend = [], unextend = [] }: PolicyOptions, { extensions }: Policy): Policy["extensions"] {
  const gone = unextend.map((text) => text.split(":") as [string, string?]);
  const kept = extensions.flatMap((extension) => {
    const without = gone.filter(([name]) => name === extension.name);
    if (without.some(([, dependency]) => dependency === undefined)) return [];
    const drop = (record: Record<string, string>) =>
      Object.fromEntries(Object.entries(record).filter(([name]) => !without.some(([, dependency]) => dependency === name)));
    const rest = { ...extension, dependencies: drop(extension.dependencies), peerDependencies: drop(extension.peerDependencies) };
    return Object.keys({ ...rest.dependencies, ...rest.peerDependencies }).length === 0 ? [] : [rest];
  }) as Policy["extensions"];
  return [...kept, ...extend.map(parseExtension)];
}

function parseExtension(text: string): Policy["extensions"][number] {
  const [subject = "", wanted = ""] = text.split(":");
  if (wanted === "") {
    throw new LarderError("E_INPUT", `${JSON.stringify(text)} is not PACKAGE:DEPENDENCY@RANGE.`, {
      hint: 'For example: --extend "some-package@^2:lodash@^4"',
    });
  }
  const { name, range = "*" } = parseSubject(subject);
  const dependency = parseSubject(wanted);
  return { name, range, dependencies: { [dependency.name]: dependency.range ?? "*" }, peerDependencies: {} };
}

/** `NAME` or `NAME@RANGE`. */
export function parseSubject(text: string): { name: ReturnType<typeof parsePackageName>; range?: string } {
  const at = text.indexOf("@", 1);
  if (at === -1) return { name: parsePackageName(text) };
  return { name: parsePackageName(text.slice(0, at)), range: text.slice(at + 1) };
}

async function readChange(path: string): Promise<PolicyChange> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new LarderError("E_INPUT", `${path} cannot be read.`, { cause: error });
  }
  return parseJson(path)(text) as PolicyChange;
}

const parseAmount =
  (option: string, flag: string) =>
  (text: string): number | null => {
    if (text === "none") return null;
    if (flag === "files" || flag === "nodes") return parseWhole(option)(text);
    try {
      return parseByteCount(text);
    } catch (error) {
      throw new LarderError("E_INPUT", `${option} is ${JSON.stringify(text)}, ${(error as Error).message}.`);
    }
  };

function parseSwitch(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new LarderError("E_INPUT", `--known-extensions is ${JSON.stringify(text)}, neither on nor off.`);
}
