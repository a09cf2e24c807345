import * as monaco from "monaco-editor/editor/editor.api.js";
import EditorWorker from "monaco-editor/editor/editor.worker.js?worker";
import "monaco-editor/features/bracketMatching/register.js";
import "monaco-editor/features/caretOperations/register.js";
import "monaco-editor/features/clipboard/register.js";
import "monaco-editor/features/codicon/register.js";
import "monaco-editor/features/comment/register.js";
import "monaco-editor/features/contextmenu/register.js";
import "monaco-editor/features/cursorUndo/register.js";
import "monaco-editor/features/find/register.js";
import "monaco-editor/features/format/register.js";
import "monaco-editor/features/gotoError/register.js";
import "monaco-editor/features/hover/register.js";
import "monaco-editor/features/indentation/register.js";
import "monaco-editor/features/lineSelection/register.js";
import "monaco-editor/features/linesOperations/register.js";
import "monaco-editor/features/multicursor/register.js";
import "monaco-editor/features/parameterHints/register.js";
import "monaco-editor/features/rename/register.js";
import "monaco-editor/features/smartSelect/register.js";
import "monaco-editor/features/snippet/register.js";
import "monaco-editor/editor/contrib/suggest/browser/suggestController.js";
import "monaco-editor/features/toggleTabFocusMode/register.js";
import "monaco-editor/features/tokenization/register.js";
import "monaco-editor/features/wordHighlighter/register.js";
import "monaco-editor/features/wordOperations/register.js";
import "monaco-editor/languages/definitions/typescript/register.js";
import { typescriptDefaults } from "monaco-editor/languages/features/typescript/register.js";
import TypeScriptWorker from "monaco-editor/languages/features/typescript/ts.worker.js?worker";

Object.assign(globalThis, {
  MonacoEnvironment: {
    getWorker: (_id: string, label: string) => (label === "typescript" ? new TypeScriptWorker() : new EditorWorker()),
  },
});

/** TypeScript's own numbers: the newest language, modules as bundlers and Bun resolve them. */
const [esNext, bundler] = [99, 100];
typescriptDefaults.setCompilerOptions({
  target: esNext,
  module: esNext,
  moduleResolution: bundler,
  strict: true,
  esModuleInterop: true,
  allowNonTsExtensions: true,
  noEmit: true,
});
/** "Cannot find module", "no declaration file", "return outside of a function": the list of imports says the first two better. */
typescriptDefaults.setDiagnosticsOptions({ diagnosticCodesToIgnore: [2307, 2792, 7016, 1108] });

/** What every script has besides its imports. */
const surroundings = `/** What the caller gave to this run. */
declare const context: any;
declare const process: { env: Record<string, string | undefined>; exit(code?: number): never };
`;

/** Replaces the declarations that scripts see: text by path, such as `node_modules/zod/index.d.ts`. */
export function setDeclarations(files: ReadonlyMap<string, string>): void {
  const libs = [...files].map(([path, content]) => ({ filePath: `file:///${path}`, content }));
  typescriptDefaults.setExtraLibs([{ filePath: "file:///surroundings.d.ts", content: surroundings }, ...libs]);
}

setDeclarations(new Map());

const palette = {
  light: {
    "editor.background": "#ffffff",
    "editorLineNumber.foreground": "#767a72",
    "editor.lineHighlightBackground": "#f6f6f3",
  },
  dark: { "editor.background": "#191a18", "editorLineNumber.foreground": "#85897f", "editor.lineHighlightBackground": "#20221f" },
};
monaco.editor.defineTheme("larder-light", { base: "vs", inherit: true, rules: [], colors: palette.light });
monaco.editor.defineTheme("larder-dark", { base: "vs-dark", inherit: true, rules: [], colors: palette.dark });

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const applyTheme = () => {
  const { theme } = document.documentElement.dataset;
  const dark = theme === "dark" || (theme !== "light" && darkSystem.matches);
  monaco.editor.setTheme(dark ? "larder-dark" : "larder-light");
};
applyTheme();
darkSystem.addEventListener("change", applyTheme);
new MutationObserver(applyTheme).observe(document.documentElement, { attributeFilter: ["data-theme"] });

export { monaco };
