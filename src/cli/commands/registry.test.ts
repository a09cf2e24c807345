import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { useDataDirectory } from "../testing/use-data-directory.ts";

const given = useDataDirectory();
const { larder } = given;
const secret = "s3cret-of-the-registry";
const lastCall = () => JSON.parse(given.server.state.calls.at(-1)!.replace(/^\S+ /, "")) as Record<string, unknown>;

test("a token comes from standard input, a variable or a question that does not show it, and never from an argument", async () => {
  const line = "registry set corp https://npm.corp.example/ --scope @corp --auth bearer";
  for (const terminal of [
    { readInput: async () => `${secret}\n` },
    { environment: { LARDER_REGISTRY_SECRET: secret } },
    { inIsTTY: true, errIsTTY: true, answers: [secret] },
  ]) {
    const { exitCode, out, err } = await larder(line, terminal);
    expect(exitCode).toBe(0);
    expect(out + err).not.toContain(secret);
    expect(lastCall()).toEqual({
      name: "corp",
      url: "https://npm.corp.example/",
      scopes: ["@corp"],
      auth: { type: "bearer", token: secret },
    });
  }
});

test("blank keeps the token, nothing piped in is a mistake, none clears it", async () => {
  expect((await larder("registry set corp --auth bearer", { inIsTTY: true, errIsTTY: true, answers: [""] })).exitCode).toBe(0);
  expect(lastCall()).toEqual({ name: "corp" });
  const calls = given.server.state.calls.length;
  expect(await larder("registry set corp --auth bearer")).toMatchObject({
    exitCode: 2,
    err: expect.stringContaining("standard input"),
  });
  expect(given.server.state.calls.length).toBe(calls);
  await larder("registry set corp --auth none --no-ca");
  expect(lastCall()).toEqual({ name: "corp", auth: { type: "none" }, ca: "" });
});

test("basic needs a user name, and a user name basic", async () => {
  expect((await larder("registry set corp --auth basic")).exitCode).toBe(2);
  expect((await larder("registry set corp --username u")).exitCode).toBe(2);
  await larder("registry set corp --auth basic --username u", { readInput: async () => secret });
  expect(lastCall()).toEqual({ name: "corp", auth: { type: "basic", username: "u", password: secret } });
});

test("a test that fails says what to do, and exits as a registry's fault", async () => {
  const { exitCode, out } = await larder("registry test corp");
  expect(exitCode).toBe(6);
  expect(out).toContain("does not accept the token");
  expect(out).toContain("Give it again.");
});

test("import sends the file, with the cafile it names; a file that is not there is said", async () => {
  await writeFile(join(given.dataDir, "ca.pem"), "-----PEM-----");
  await writeFile(join(given.dataDir, ".npmrc"), "registry=https://r.example/\ncafile=ca.pem\n");
  const { exitCode, out } = await larder("registry import .npmrc --dry-run", { cwd: given.dataDir });
  expect([exitCode, out]).toEqual([0, expect.stringContaining("corp would be added")]);
  expect(lastCall()).toEqual({ npmrc: "registry=https://r.example/\ncafile=ca.pem\n", cafile: "-----PEM-----", dryRun: true });
  expect(await larder("registry import nothing", { cwd: given.dataDir })).toMatchObject({
    exitCode: 2,
    err: expect.stringContaining("is not there"),
  });
});

test("removing one asks first, and says where its names go", async () => {
  expect((await larder("registry remove corp")).exitCode).toBe(2);
  const { exitCode, err } = await larder("registry remove corp", { inIsTTY: true, errIsTTY: true, answers: ["y"] });
  expect(exitCode).toBe(0);
  expect(err).toContain("@corp would be asked for at the default one");
});

test("an option that is called as a setting is, is the command's own: a name or a host and not the address to resolve from", async () => {
  expect(await larder("registry search date --registry corp")).toMatchObject({ exitCode: 0, err: "" });
  expect(lastCall()).toMatchObject({ text: "date", registry: "corp" });
  const waived = await larder("waivers add --registry npm.acme.test --rule unknown-age --reason ours");
  expect(waived).toMatchObject({ exitCode: 0, out: expect.stringContaining("all of npm.acme.test") });
});
