import { afterAll, beforeAll, describe, expect } from "bun:test";
import { spawnSync } from "node:child_process";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { larderCommand } from "../harness/processes.ts";
import { type Spawned, spawnProcess } from "../harness/spawned.ts";
import { testUnless } from "../harness/test-unless.ts";
import { until } from "../harness/until.ts";
import { type LarderStack, openLarderStack, succeed } from "./larder-stack.ts";

const token = "typed-by-hand-4711";
const noScript = spawnSync("script", ["--version"]).stdout?.includes("util-linux")
  ? undefined
  : "there is no `script` of util-linux, which lends a command a terminal";

describe("the question for a secret on a real terminal", () => {
  let registry: FixtureRegistry;
  let stack: LarderStack;
  beforeAll(async () => {
    registry = await openFixtureRegistry([{ name: "@corp/a", version: "1.0.0" }], { token });
    stack = await openLarderStack({ kind: "serve", registry: registry.url });
  }, 120_000);
  afterAll(async () => {
    for (const each of [stack, registry]) await each?.[Symbol.asyncDispose]();
  });

  /** A command on a terminal of its own: what it shows is its standard output here. */
  const onTerminal = (...words: string[]): Spawned => {
    const command = [larderCommand, ...words, "--data-dir", stack.dataDir].map((word) => `'${word}'`).join(" ");
    return spawnProcess("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"]);
  };
  const asked = (shown: Spawned, question = "not shown") =>
    until("it asks", async () => {
      if (shown.stdout().includes(question)) return true;
      throw new Error(shown.stdout() + shown.stderr());
    });
  const auth = async () => {
    const registries = (await succeed(stack.larder(["registry", "list"]))).json<{ name: string; auth: unknown }[]>();
    return registries.find(({ name }) => name === "corp")?.auth;
  };

  testUnless(
    noScript,
    "what is typed is not shown, and is what the registry is asked with",
    async () => {
      await using shown = onTerminal("registry", "set", "corp", registry.url, "--scope", "@corp", "--auth", "bearer");
      await asked(shown);
      shown.write(`${token}\r`);
      expect((await shown.exited).code).toBe(0);
      expect(shown.stdout()).toContain("corp");
      expect(shown.stdout()).not.toContain(token);
      expect(shown.stdout()).not.toContain(token.slice(0, 5));
      const versions = await succeed(stack.larder(["registry", "versions", "@corp/a"]));
      expect(versions.json()).toMatchObject({ versions: [{ version: "1.0.0" }] });
    },
    60_000,
  );

  testUnless(
    noScript,
    "blank keeps the one there is, and Ctrl-C ends it with nothing changed",
    async () => {
      const before = await auth();
      await using blank = onTerminal("registry", "set", "corp", "--auth", "bearer");
      await asked(blank);
      blank.write("\r");
      expect((await blank.exited).code).toBe(0);
      await using stopped = onTerminal("registry", "set", "corp", "--auth", "bearer");
      await asked(stopped);
      stopped.write("half\u0003");
      expect((await stopped.exited).code).toBe(130);
      expect(stopped.stdout()).not.toContain("half");
      expect(await auth()).toEqual(before);
      expect((await succeed(stack.larder(["registry", "versions", "@corp/a"]))).code).toBe(0);
    },
    60_000,
  );

  testUnless(
    noScript,
    "Ctrl-C at a question for yes or no is an interruption, too, and no is not",
    async () => {
      for (const [keys, code] of [
        ["\u0003", 130],
        ["n\r", 1],
      ] as const) {
        await using shown = onTerminal("registry", "remove", "corp");
        await asked(shown, "[y/N]");
        shown.write(keys);
        expect((await shown.exited).code).toBe(code);
      }
      expect(await auth()).toBeDefined();
    },
    60_000,
  );
});
