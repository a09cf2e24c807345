import { beforeEach, describe, expect, test } from "bun:test";
import { host, packageEntry } from "../testing/fake-answers.ts";
import { useDataDirectory } from "../testing/use-data-directory.ts";
import { parsePackageRequests } from "./add.ts";

const given = useDataDirectory();
const { larder, json } = given;

describe("the allowlist", () => {
  test("an empty one says what to do next", async () => {
    expect((await larder("list")).out).toContain("larder add");
  });

  test("add says what was pinned, and that an install is due", async () => {
    const { out, exitCode } = await larder("add dayjs @corp/utils@1.2.3");
    expect(exitCode).toBe(0);
    expect(out).toContain("+ dayjs@9.9.9");
    expect(out).toContain("+ @corp/utils@1.2.3");
    expect(out).toContain("larder install");
  });

  test("add --install installs at once", async () => {
    const { value } = await json("add dayjs --install");
    expect(value).toMatchObject({ packages: [{ name: "dayjs" }], install: { generation: 2, changed: true } });
  });

  test("specs are parsed strictly", () => {
    expect(
      parsePackageRequests(["a", "b@1.0.0", "@s/c@1.0.0-rc.1+x"]).map(({ name, version }) => [name, version] as unknown),
    ).toEqual([
      ["a", undefined],
      ["b", "1.0.0"],
      ["@s/c", "1.0.0-rc.1+x"],
    ]);
    for (const bad of ["a@^1.0.0", "a@", "a@1", "a@latest", "a@npm:b@1.0.0"])
      expect(() => parsePackageRequests([bad])).toThrow(/version/);
    for (const bad of ["", "@", "../a", "@s", "a b", "a/b", "https://x.example/a.tgz"])
      expect(() => parsePackageRequests([bad])).toThrow(/name/);
  });

  test("scoped names reach the server whole", async () => {
    given.server.state.packages = [packageEntry("@corp/utils")];
    expect((await larder("disable @corp/utils")).out).toContain("@corp/utils@1.0.0 is disabled");
  });
});

describe("before something is destroyed", () => {
  beforeEach(() => {
    given.server.state.packages = [packageEntry("dayjs")];
    given.server.state.hosts = [host("worker-1")];
  });
  const lines = [
    "remove dayjs",
    "rollback 1",
    "promote 1 --to production",
    "keys rotate",
    "hosts revoke worker-1",
    "tokens revoke tok_1",
  ];
  const changes = () => given.server.state.calls.filter((call) => /remove|rollback|promote|revoke|rotate/.test(call));

  test("a rollback to what is not there says so, and asks nothing", async () => {
    for (const { exitCode, err } of [
      await larder("rollback 99"),
      await larder("rollback 99", { inIsTTY: true, errIsTTY: true }),
    ]) {
      expect(exitCode).toBe(4);
      expect(err).toContain("There is no generation 99.");
      expect(err).not.toContain("y/N");
    }
    expect(changes()).toEqual([]);
  });

  test.each(lines)("%s is refused without a terminal and without --yes", async (line) => {
    const { exitCode, err } = await larder(line);
    expect(exitCode).toBe(2);
    expect(err).toContain("--yes");
    expect(changes()).toEqual([]);
  });

  test.each(lines)("%s goes ahead with --yes, or when the person agrees", async (line) => {
    expect((await larder(`${line} --yes`)).exitCode).toBe(0);
    given.server.state.packages = [packageEntry("dayjs")];
    const asked = await larder(line, { inIsTTY: true, errIsTTY: true, answers: ["y"] });
    expect(asked).toMatchObject({ exitCode: 0, err: expect.stringContaining("[y/N]") });
    expect(changes()).toHaveLength(2);
  });

  test.each(lines)("%s leaves all as it is when the person does not agree", async (line) => {
    const { exitCode, err } = await larder(line, { inIsTTY: true, errIsTTY: true, answers: ["no"] });
    expect(exitCode).toBe(1);
    expect(err).toContain("Nothing was changed");
    expect(changes()).toEqual([]);
  });
});

describe("what changes much looks before it asks", () => {
  const asking = { inIsTTY: true, errIsTTY: true, answers: ["y"] };

  test("a generation that is not there is refused without a question", async () => {
    const { exitCode, err } = await larder("rollback 99", asking);
    expect([exitCode, err.includes("[y/N]")]).toEqual([4, false]);
    expect(err).toContain("99");
  });

  test("a host that is not there is refused without a question", async () => {
    const { exitCode, err } = await larder("hosts revoke nobody", asking);
    expect([exitCode, err.includes("[y/N]")]).toEqual([4, false]);
    expect(err).toContain("nobody");
  });

  test("a rotation says how many hosts have heard of the next key", async () => {
    const { err } = await larder("keys rotate", asking);
    expect(err).toContain("3 of 5 hosts have heard of the next one");
  });

  test("a rollback says what it changes, and that the allowlist stays", async () => {
    const { err } = await larder("rollback 1", asking);
    expect(err).toContain("its allowlist stays as it is");
  });

  test("a promotion says that the target's allowlist is replaced, and what it loses", async () => {
    given.server.state.packages = [packageEntry("left-behind"), packageEntry("dayjs")];
    const { err } = await larder("promote 1 --to production", asking);
    expect(err).toContain("its allowlist becomes the 1 package of that generation, without left-behind?");
  });

  test("an environment is removed by its name alone, and the default one never", async () => {
    expect((await larder("environments remove staging", { ...asking, answers: ["y"] })).err).toContain("Nothing was changed");
    expect((await larder("environments remove staging", { ...asking, answers: ["staging"] })).out).toContain("Removed staging.");
    expect((await larder("environments remove default --yes")).exitCode).toBe(2);
  });
});
