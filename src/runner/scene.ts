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
  /** Names of a newer generation that this host does not serve yet, with its number. */
  pending: ReadonlyMap<string, number>;
  /** Names that could be imported if no older generation had been asked for. */
  currentRoots: readonly string[];
  /** Of the tree; 0 without one. */
  generation: number;
  /** What an allowlisted package says can be imported from it; empty when it does not say. */
  exportsOf(name: string): string[];
  platform: string;
  isScript(path: string): boolean;
  /** A specifier as the script has it: Node tells paths in full, and of addresses only the beginning. */
  asWritten(specifier: string): string;
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

export interface SceneInput extends Omit<Scene, "isScript" | "asWritten" | "mentions" | "positionOf" | "clean"> {
  scriptText: string;
  runDirectory: string;
  packagesDirectory: string;
}

export function createScene(input: SceneInput): Scene {
  const { scriptName, scriptText, runDirectory, packagesDirectory, ...facts } = input;
  const packageDirectory = new RegExp(`(?:file://)?${escapePattern(packagesDirectory)}/[0-9a-f]+/`, "g");
  const find = (specifier: string) => quotedAt(scriptText, specifier);
  return {
    ...facts,
    scriptName,
    isScript: (path) => path.startsWith(`${runDirectory}/`) && !path.startsWith(`${runDirectory}/node_modules/`),
    asWritten(specifier) {
      if (specifier.startsWith(`${runDirectory}/`)) return `.${specifier.slice(runDirectory.length)}`;
      if (!specifier.endsWith("://")) return specifier;
      return new RegExp(`(["'\`])(${escapePattern(specifier)}[^"'\`\\n]*)\\1`).exec(scriptText)?.[2] ?? specifier;
    },
    mentions: (specifier) => find(specifier) !== undefined,
    positionOf(specifier) {
      const offset = find(specifier);
      if (offset === undefined) return undefined;
      const before = scriptText.slice(0, offset).split("\n");
      return { file: scriptName, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    },
    clean: (text) =>
      text
        .replaceAll(`file://${runDirectory}/`, "")
        .replaceAll(`${runDirectory}/`, "")
        .replaceAll(runDirectory, ".")
        .replace(packageDirectory, "")
        .replaceAll(`${scriptName}.mjs`, scriptName),
  };
}

/** Where `specifier`, or a path below it, stands in quotes; preferably behind `from`, `import` or `require`. */
function quotedAt(text: string, specifier: string): number | undefined {
  const quoted = `(["'\`])${escapePattern(specifier)}(?:/[^"'\`\\n]*)?\\1`;
  const match =
    new RegExp(`(?:from|import|require)\\s*\\(?\\s*(?=${quoted})`).exec(text) ?? new RegExp(`(?=${quoted})`).exec(text);
  return match ? match.index + match[0].length : undefined;
}
