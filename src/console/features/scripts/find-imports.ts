/** An import in a script, and where its specifier stands, in characters from the start. */
export interface FoundImport {
  specifier: string;
  start: number;
  end: number;
}

const importing = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(["'])([^"'\n\\]{1,300})\1/g;

/** Every module that a script names, as it is typed: a look at the text, which need not be whole yet. Comments do not count. */
export function findImports(text: string): FoundImport[] {
  const visible = blankComments(text);
  return [...visible.matchAll(importing)].map((match) => {
    const specifier = match[2] as string;
    const end = match.index + match[0].length - 1;
    return { specifier, start: end - specifier.length, end };
  });
}

/** Strings are passed over, so that `//` in an address begins no comment. */
const blankComments = (text: string): string =>
  text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g,
    (whole, string) => (string === undefined ? whole.replace(/[^\n]/g, " ") : whole),
  );

/** `@acme/x` of `@acme/x/sub`; a module of Node's own, a relative path or an address is no package. */
export function packageOf(specifier: string): string | undefined {
  if (/^(?:[./]|node:|bun:|bun$|[a-z][a-z0-9+.-]*:)/.test(specifier)) return undefined;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? (parts.length > 1 ? parts.slice(0, 2).join("/") : undefined) : parts[0];
}
