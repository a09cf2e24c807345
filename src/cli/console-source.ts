import { spawn } from "node:child_process";
import { resolve } from "node:path";

const script = resolve(import.meta.dirname, "../../scripts/build-console.mjs");

/** The folder of the built console; building it takes some seconds, once for each version of the sources. */
export async function consoleOfThisCheckout(): Promise<string> {
  // A process of its own: bundling would keep this one from answering.
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  if (code === 0) return output.out.trim();
  throw new Error(`${output.err.trim() || `Building the console ended with ${code}.`} Start again after mending that.`);
}
