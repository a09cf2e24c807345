/** JSON in which a comma may also stand before a closing bracket, as Bun writes it. Throws a `SyntaxError` for anything else. */
export function parseLooseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(commaBeforeLineEnd, ""));
  } catch {
    // Some stand before a bracket on the same line, or this is no JSON at all.
    return JSON.parse(withoutTrailingCommas(text));
  }
}

/** Where Bun writes them. No string of JSON holds a line break, so that none of these is in one. */
const commaBeforeLineEnd = /,(?=[ \t\r]*\n[ \t\r\n]*[\]}])(?<![[{][ \t\r\n]*,)/g;

/** Matches a whole string (left as it is), or a comma behind a value with nothing but white space up to a closing bracket. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![[{][ \t\r\n]*),(?=[ \t\r\n]*[\]}])/gs;

function withoutTrailingCommas(text: string): string {
  return text.replace(token, (match) => (match === "," ? "" : match));
}
