import { readFile } from "node:fs/promises";
import { LarderError } from "../contract/bare.ts";
import { errnoOf } from "../lib/bare.ts";

const because: Record<string, string> = {
  ENOENT: "is not there",
  EACCES: "may not be read by this user",
  EISDIR: "is a directory",
};

/** A file that the user named. Throws `E_INPUT`. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const why = because[errnoOf(cause) ?? ""];
    if (why === undefined) throw cause;
    throw new LarderError("E_INPUT", `${path} ${why}.`, { hint: "Name a file that this user can read.", cause });
  }
}
