import { expect, test } from "bun:test";
import { join } from "node:path";

const logged = (level: string, error: string) => {
  const program = `import { createLogger } from ${JSON.stringify(join(import.meta.dir, "logger.ts"))};
    import { LarderError } from ${JSON.stringify(join(import.meta.dir, "../contract/index.ts"))};
    createLogger(${JSON.stringify(level)}).warn({ err: ${error} }, "it happened");`;
  const { stderr } = Bun.spawnSync([process.execPath, "-e", program]);
  return JSON.parse(stderr.toString()) as { err: { message: string; code?: string; hint?: string; stack?: string } };
};
const foreseen = `new LarderError("E_SERVER_UNREACHABLE", "away", { hint: "wait", cause: new Error("ECONNREFUSED") })`;

test("an error that was foreseen is logged in its own words, without a stack", () => {
  expect(logged("info", foreseen).err).toEqual({
    message: "away",
    code: "E_SERVER_UNREACHABLE",
    hint: "wait",
    cause: "ECONNREFUSED",
  } as never);
});

test("anything else keeps its stack, and so does everything for who looks closely", () => {
  expect(logged("info", `new TypeError("x is undefined")`).err.stack).toContain("TypeError: x is undefined");
  expect(logged("info", `new LarderError("E_INTERNAL", "broken")`).err.stack).toContain("broken");
  expect(logged("debug", foreseen).err.stack).toContain("away");
});
