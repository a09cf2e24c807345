import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LarderError } from "../contract/index.ts";
import { runCommand } from "./testing/run-command.ts";
import { useDataDirectory } from "./testing/use-data-directory.ts";

const given = useDataDirectory();
const { larder, json } = given;

describe("which server", () => {
  test("the data directory gives address and admin token", async () => {
    expect((await larder("list")).exitCode).toBe(0);
    expect(given.server.state.tokensSeen).toEqual(["Bearer ldr_admin_local"]);
  });

  test("the local admin token is not shown to another server", async () => {
    await given.announceAt("http://127.0.0.1:1/");
    await larder(`list --server ${given.server.url.origin}`);
    expect(given.server.state.tokensSeen).toEqual([undefined]);
  });

  test("a token that was given beats the local one", async () => {
    await larder("list --token ldr_author_mine");
    expect(given.server.state.tokensSeen).toEqual(["Bearer ldr_author_mine"]);
  });

  test("a token that the server refuses is answered with where a command looks for one", async () => {
    given.server.state.failWith = new LarderError("E_UNAUTHENTICATED", "No.", { hint: "Send a header." });
    const { exitCode, err } = await larder("list");
    expect(exitCode).toBe(3);
    expect(err).toContain("LARDER_TOKEN");
  });

  test("no server at all names the ways to one", async () => {
    const { exitCode, err } = await runCommand(["list", "--data-dir", join(given.dataDir, "none")]);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/E_SERVER_UNREACHABLE[\s\S]*larder up[\s\S]*--server/);
  });

  test("a server that is gone without saying so is called that", async () => {
    await given.server[Symbol.asyncDispose]();
    const { exitCode, err } = await larder("list");
    expect(exitCode).toBe(1);
    expect(err).toMatch(/E_SERVER_UNREACHABLE: Nobody answers at .*process 4242[\s\S]*larder up/);
  });

  test("a server.json that was cut short is named", async () => {
    await writeFile(join(given.dataDir, "control", "server.json"), '{"url": "http:');
    expect((await larder("list")).err).toContain(join("control", "server.json"));
  });

  test("something else at the address is not taken for Larder", async () => {
    await using other = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("<h1>hello</h1>", { headers: { "content-type": "text/html" } }),
    });
    const { exitCode, err } = await larder(`list --server ${other.url.origin}`);
    expect(exitCode).toBe(1);
    expect(err).toContain("E_SERVER_UNREACHABLE");
  });

  test("a redirect is not followed", async () => {
    await using other = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.redirect(`${given.server.url.origin}/api/environments/default/packages`),
    });
    const { exitCode } = await larder(`list --server ${other.url.origin} --token ldr_author_mine`);
    expect(exitCode).toBe(1);
    expect(given.server.state.tokensSeen).toEqual([]);
  });

  test("the server's own error keeps its code, hint and exit code", async () => {
    given.server.state.failWith = new LarderError("E_FORBIDDEN", "Not yours.", { hint: "Ask an admin." });
    expect(await json("list")).toMatchObject({
      exitCode: 3,
      value: { error: { code: "E_FORBIDDEN", message: "Not yours.", hint: "Ask an admin." } },
      err: expect.stringContaining("error E_FORBIDDEN: Not yours.\nhint: Ask an admin."),
    });
  });
});
