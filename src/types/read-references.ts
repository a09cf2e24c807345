import { type EcmaScriptModule, type ParseResult, parseSync } from "oxc-parser";
import type { Reference, ResolutionMode } from "./outline.ts";

/** What a declaration's text refers to; `null` when it is not TypeScript. Runs the native parser: only in a process that may die. */
export function readReferences(text: string): Reference[] | null {
  const parsed = parseSync("declaration.d.ts", text, { lang: "dts" });
  const found = new Map<string, Reference>();
  const add = (reference: Reference) => void found.set(JSON.stringify(reference), reference);
  if (directive.test(text)) for (const reference of readDirectives(text, parsed)) add(reference);
  if (text.length <= treeLimit && needsTree.test(text)) for (const reference of fromTree(parsed)) add(reference);
  else for (const reference of fromModule(parsed.module)) add(reference);
  if (found.size === 0 && parsed.errors.length > 0 && parsed.program.body.length === 0) return null;
  return [...found.values()];
}

const directive = /\/\/\/\s*<\s*reference\b/;
/** What the list of a module's imports and exports does not tell: `import()`, `require()`, `declare module "…"`, import attributes. */
const needsTree = /\bimport\s*(?:\(|\/[*/])|\brequire\b|\bmodule\s*(?:["']|\/[*/])|resolution-mode/;

/** A tree takes some hundred times the text's memory. Larger files are looked at for their imports and exports alone. */
const treeLimit = 2 << 20;

function* fromModule({ staticImports, staticExports }: EcmaScriptModule): Generator<Reference> {
  for (const { moduleRequest } of staticImports) yield ["import", moduleRequest.value];
  for (const { entries } of staticExports) {
    for (const { moduleRequest } of entries) if (moduleRequest) yield ["import", moduleRequest.value];
  }
}

/** Module syntax that ECMAScript does not know. */
const commonModule = new Set<string>(["TSImportEqualsDeclaration", "TSExportAssignment"]);

interface Node {
  type: string;
  [member: string]: unknown;
}

/** Without recursion: what is nested deeply enough would end it. */
function* fromTree({ program, module }: ParseResult): Generator<Reference> {
  const isModule = module.hasModuleSyntax || program.body.some(({ type }) => commonModule.has(type));
  const stack: unknown[] = [program];
  while (stack.length > 0) {
    const value = stack.pop();
    if (typeof value !== "object" || value === null) continue;
    if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--) stack.push(value[i]);
      continue;
    }
    const node = value as Node;
    const reference = referenceOf(node, isModule);
    if (reference) yield reference;
    for (const name in node) if (typeof node[name] === "object") stack.push(node[name]);
  }
}

function referenceOf(node: Node, isModule: boolean): Reference | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
      return importOf(node.source, modeOf(node.attributes as Node[] | undefined));
    case "TSImportType":
      return importOf(node.source, modeOf(attributesOf(node.options)));
    case "ImportExpression":
      return importOf(node.source, undefined);
    case "TSExternalModuleReference": {
      const name = textOf(node.expression);
      return name === undefined ? undefined : ["require", name];
    }
    case "TSModuleDeclaration": {
      // In a module it adds to another one; elsewhere it is that module's declaration.
      const name = isModule ? textOf(node.id) : undefined;
      return name === undefined || name.includes("*") ? undefined : ["import", name];
    }
  }
  return undefined;
}

function importOf(source: unknown, mode: ResolutionMode | undefined): Reference | undefined {
  const name = textOf(source);
  if (name === undefined) return undefined;
  return mode === undefined ? ["import", name] : ["import", name, mode];
}

function textOf(value: unknown): string | undefined {
  const node = value as { type?: string; value?: unknown; literal?: unknown } | null | undefined;
  if (node?.type === "TSLiteralType") return textOf(node.literal);
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

/** `{ with: { "resolution-mode": "import" } }` of an `import()` type. */
function attributesOf(options: unknown): Node[] {
  const properties = (value: unknown) => ((value as Node | null | undefined)?.properties as Node[] | undefined) ?? [];
  return properties(options).flatMap(({ value }) => properties(value));
}

function modeOf(attributes: readonly Node[] | undefined): ResolutionMode | undefined {
  const found = attributes?.find(({ key }) => ((key as Node).name ?? (key as Node).value) === "resolution-mode");
  const mode = textOf(found?.value);
  return mode === "import" || mode === "require" ? mode : undefined;
}

/** `/// <reference …/>` counts before the first statement only. */
function* readDirectives(text: string, { comments }: ParseResult): Generator<Reference> {
  let end = text.startsWith("#!") ? text.indexOf("\n") : 0;
  for (const { type, value, start, end: commentEnd } of comments) {
    if (text.slice(Math.max(0, end), start).trim() !== "") return;
    end = commentEnd;
    if (type !== "Line" || !/^\/\s*<\s*reference\b/.test(value)) continue;
    const attribute = (name: string) =>
      new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(value)?.slice(1).find(Boolean);
    const [path, types, lib] = [attribute("path"), attribute("types"), attribute("lib")];
    const mode = attribute("resolution-mode");
    if (path !== undefined) yield ["path", path];
    else if (lib !== undefined) yield ["lib", lib];
    else if (types !== undefined) yield mode === "import" || mode === "require" ? ["types", types, mode] : ["types", types];
  }
}
