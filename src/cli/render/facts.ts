import type { Page } from "../command.ts";
import { pad, plainLines, wrap } from "./text.ts";

/** `Name   value` lines with the names aligned; a pair without a value is left out. */
export function renderFacts(facts: [name: string, value: string | undefined][], { columns, style }: Page): string {
  const shown = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  const indent = " ".repeat(width);
  return shown
    .map(([name, value]) => {
      const lines = plainLines(value)
        .split("\n")
        .map((line) => wrap(line, columns - width).replaceAll("\n", `\n${indent}`));
      return style.dim(pad(name, width)) + lines.join(`\n${indent}`);
    })
    .join("\n");
}
