type Paint = (text: string) => string;

export interface Style {
  bold: Paint;
  dim: Paint;
  red: Paint;
  green: Paint;
  yellow: Paint;
  cyan: Paint;
}

const codes: Record<keyof Style, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Colours only on a terminal, and not when `NO_COLOR` (https://no-color.org) or a dumb terminal says no. */
export function styleFor(isTTY: boolean, environment: Record<string, string | undefined>): Style {
  const coloured = isTTY && !environment.NO_COLOR && environment.TERM !== "dumb";
  const paint = ([on, off]: [number, number]): Paint =>
    coloured ? (text) => (text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`) : (text) => text;
  return Object.fromEntries(Object.entries(codes).map(([name, code]) => [name, paint(code)])) as unknown as Style;
}
