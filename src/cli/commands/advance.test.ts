import { expect, test } from "bun:test";
import { host } from "../testing/fake-answers.ts";
import { useDataDirectory } from "../testing/use-data-directory.ts";

const given = useDataDirectory();
const advances = () => given.server.state.calls.filter((call) => call.startsWith("generations.advance")).length;
const asking = { inIsTTY: true, errIsTTY: true, answers: ["n"] };

test("advance asks nothing and does nothing when no host is ahead", async () => {
  given.server.state.hosts = [host("a")];
  const { exitCode, out, err } = await given.larder("advance", asking);
  expect([exitCode, err]).toEqual([0, ""]);
  expect(out).toContain("No host is ahead of default: nothing is to be done.");
  expect(await given.json("advance")).toMatchObject({ exitCode: 0, value: null });
  expect(advances()).toBe(0);
});

test("advance goes past a number that was given, whoever is ahead", async () => {
  given.server.state.hosts = [host("a")];
  expect((await given.larder("advance --past 120", asking)).err).toContain(
    "Go past generation 120 in default, though no host has said that it is ahead",
  );
  expect((await given.larder("advance --past 120 --yes")).out).toContain("Generation 121");
  expect(advances()).toBe(1);
});

test("advance says for how many hosts it goes past what they have accepted", async () => {
  given.server.state.hosts = [host("a", { state: "ahead", accepted: 7 })];
  expect((await given.larder("advance", asking)).err).toContain("Go past generation 7 in default, for 1 host that is ahead");
});
