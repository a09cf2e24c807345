// The process that parses declarations. A native parser ends the process that feeds it a nesting deep enough: this one is for that.
// A line of JSON in, a text; a line of JSON out, what it refers to. Each line is out before the next text is looked at.
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { readReferences } from "./read-references.ts";

for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
  writeLine(JSON.stringify(read(JSON.parse(line) as string)));
}

function read(text: string): ReturnType<typeof readReferences> {
  try {
    return readReferences(text);
  } catch {
    return null;
  }
}

function writeLine(line: string): void {
  let rest = Buffer.from(`${line}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
