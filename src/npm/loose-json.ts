/** JSON in which a comma may also stand before a closing bracket, as Bun writes it. Throws a `SyntaxError` for anything else. */
export function parseLooseJson(text: string): unknown {
  return JSON.parse(withoutTrailingCommas(text));
}

/** Matches a whole string (left as it is), or a comma behind a value with nothing but white space up to a closing bracket. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![[{][ \t\r\n]*),(?=[ \t\r\n]*[\]}])/gs;

function withoutTrailingCommas(text: string): string {
  return text.replace(token, (match) => (match === "," ? "" : match));
}
