import type { LarderError } from "../../contract/index.ts";
import type { Style } from "./style.ts";
import { plainLines } from "./text.ts";

/** `error E_CODE: message`, and the way out below it. */
export function renderError(error: Pick<LarderError, "code" | "message" | "hint">, style: Style): string {
  const lines = [`${style.red(style.bold("error"))} ${style.bold(error.code)}: ${plainLines(error.message)}`];
  if (error.hint !== undefined) lines.push(`${style.cyan("hint:")} ${plainLines(error.hint)}`);
  return lines.join("\n");
}
