import { escapePattern } from "./escape-pattern.ts";

/** What a failure is judged by. */
export interface Scene {
  scriptName: string;
  hasTree: boolean;
  /** Names that can be imported. */
  roots: readonly string[];
  /** Allowlisted names that this host's platform cannot have, with the reason. */
  unavailable: ReadonlyMap<string, string>;
  /** Names of all packages of the tree, as far as they are known. */
  transitive: ReadonlySet<string>;
  platform: string;
  isScript(path: string): boolean;
  /** Whether the script's text names this module, in quotes. */
  mentions(specifier: string): boolean;
  positionOf(specifier: string): SourcePosition | undefined;
  /** `text` with our paths cut: `script.ts` and `node_modules/<name>/…` remain. */
  clean(text: string): string;
}

export interface SourcePosition {
  file: string;
  /** From 1. */
  line: number;
  column: number;
}

export interface SceneInput extends Pick<Scene, "scriptName" | "hasTree" | "roots" | "unavailable" | "transitive" | "platform"> {
  scriptText: string;
  runDirectory: string;
  packagesDirectory: string;
}

export function createScene(input: SceneInput): Scene {
  const { scriptName, scriptText, runDirectory, packagesDirectory } = input;
  const packageDirectory = new RegExp(`${escapePattern(packagesDirectory)}/[0-9a-f]+/`, "g");
  const find = (specifier: string) => quotedAt(scriptText, specifier);
  return {
    scriptName,
    hasTree: input.hasTree,
    roots: input.roots,
    unavailable: input.unavailable,
    transitive: input.transitive,
    platform: input.platform,
    isScript: (path) => path.startsWith(`${runDirectory}/`) && !path.startsWith(`${runDirectory}/node_modules/`),
    mentions: (specifier) => find(specifier) !== undefined,
    positionOf(specifier) {
      const offset = find(specifier);
      if (offset === undefined) return undefined;
      const before = scriptText.slice(0, offset).split("\n");
      return { file: scriptName, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    },
    clean: (text) => text.replaceAll(`${runDirectory}/`, "").replaceAll(runDirectory, ".").replace(packageDirectory, ""),
  };
}

/** Where `specifier`, or a path below it, stands in quotes; preferably behind `from`, `import` or `require`. */
function quotedAt(text: string, specifier: string): number | undefined {
  const quoted = `(["'\`])${escapePattern(specifier)}(?:/[^"'\`\\n]*)?\\1`;
  const match =
    new RegExp(`(?:from|import|require)\\s*\\(?\\s*(?=${quoted})`).exec(text) ?? new RegExp(`(?=${quoted})`).exec(text);
  return match ? match.index + match[0].length : undefined;
}
