import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { commands } from "./commands.ts";
import { runCommand } from "./testing/run-command.ts";
import { useDataDirectory } from "./testing/use-data-directory.ts";

const given = useDataDirectory();
const { larder, json } = given;

describe("help", () => {
  test("larder and each of its commands explain themselves with an example", async () => {
    const names = commands.map(({ name }) => name);
    for (const name of [
      "",
      ...names,
      ...new Set(names.filter((name) => name.includes(" ")).map((name) => name.split(" ")[0]!)),
    ]) {
      const { exitCode, out } = await runCommand([...name.split(" ").filter(Boolean), "--help"]);
      expect({ name, exitCode }).toEqual({ name, exitCode: 0 });
      expect(out).toContain(`$ larder ${name}`);
      expect({ name, tooLong: out.split("\n").filter((text) => text.length > 110) }).toEqual({ name, tooLong: [] });
    }
  });

  test.each([
    ["help", "--help"],
    ["help add", "add --help"],
    ["help hosts enrol", "hosts enrol --help"],
  ])("larder %s is larder %s", async (line, same) => {
    const asked = await runCommand(line.split(" "));
    expect(asked.exitCode).toBe(0);
    expect(asked.out).toBe((await runCommand(same.split(" "))).out);
  });

  test("larder alone prints its help", async () => {
    const { exitCode, out } = await runCommand([]);
    expect(exitCode).toBe(0);
    expect(out).toContain("Usage: larder");
  });
});

describe("a command line that is wrong", () => {
  test.each([
    ["lst", "Unknown command 'lst' (did you mean list?)"],
    ["list --jsonn", "Unknown option '--jsonn' (did you mean --json?)"],
    ["diff 1", "Missing required argument 'b'"],
    ["diff 1 x", 'B is "x"'],
    ["hosts", "needs a command: list, show, enrol, enrolments, close, revoke"],
    ["hosts nope", "has no command 'nope'"],
    ["list extra", "Too many arguments"],
    ["hosts list extra", "Too many arguments"],
    ["--log-level info", "No command was given"],
    ["plann --help", "Unknown command 'plann'"],
    ["help lst", "Unknown command 'lst' (did you mean list?)"],
    ["tokens create x --role king", "admin, operator, viewer, author, metrics"],
    ["run x --env 1=2", "--env"],
    ["run /", "/ is a directory"],
    ["hosts enrol A.b", 'ID is "A.b", not a host\'s name'],
    ["up --host-id A.b", '--host-id is "A.b", not a host\'s name'],
    ["run x --context {", "--context is not JSON"],
    ["add a a@1.0.0", "a is named twice"],
    ["install --no-wait --wait-hosts", "contradict"],
  ])("%s", async (line, says) => {
    const { exitCode, err, out } = await larder(line);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toContain("error E_INPUT: ");
    expect(err).toContain(says);
  });

  test("a mistyped enrolment token is told apart from one that the server does not know, and nobody is asked", async () => {
    const { exitCode, err } = await larder("agent --server http://127.0.0.1:9 --token ldr_enrol_0123456789");
    expect([exitCode, err]).toEqual([2, expect.stringContaining("error E_TOKEN_MISTYPED: This is not an enrolment token")]);
  });

  test.each([
    ["diff 1", "larder diff --help"],
    ["tokens create x --role king", "larder tokens create --help"],
    ["hosts nope", "larder hosts --help"],
    ["lst", "larder --help"],
  ])("%s points at the help of what was meant", async (line, page) => {
    expect((await larder(line)).err).toContain(`See \`${page}\`.`);
  });

  test("with --json the error is the one value on standard output, too", async () => {
    expect(await json("lst")).toMatchObject({ exitCode: 2, value: { error: { code: "E_INPUT", hint: expect.any(String) } } });
  });
});

test("a data directory that does not exist is not made by looking at it", async () => {
  for (const line of ["verify", "run -"]) {
    const { exitCode, err } = await runCommand([...line.split(" "), "--data-dir", join(given.dataDir, "typo")]);
    expect(exitCode).toBe(4);
    expect(err).toContain("typo");
    expect(await Bun.file(join(given.dataDir, "typo")).exists()).toBe(false);
  }
});
