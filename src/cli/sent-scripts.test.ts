import { expect, test } from "bun:test";
import { openTestStore } from "../../test/harness/runner-stage.ts";
import { createRunner } from "../runner/index.ts";
import { warnOfForks } from "./sent-scripts.ts";

const warningsOf = async (processLimit: "sampled") => {
  await using fixture = await openTestStore();
  const runner = createRunner(fixture.store, { holding: "marks", processLimit });
  const said: unknown[] = [];
  await warnOfForks(runner, { warn: (fields: unknown) => void said.push(fields) } as never);
  expect((await runner.run({ script: "1" })).confinement).toEqual(await runner.confinement());
  return said;
};

test("a host that others may send scripts to warns when nothing of the kernel holds a fork bomb", async () => {
  expect(await warningsOf("sampled")).toEqual([{ processLimit: "sampled" }]);
});

test("it says nothing where something does", async () => {
  await using fixture = await openTestStore();
  const { processLimit } = await createRunner(fixture.store).confinement();
  const said: unknown[] = [];
  await warnOfForks(createRunner(fixture.store), { warn: (fields: unknown) => void said.push(fields) } as never);
  expect(said).toEqual(["sampled", "none"].includes(processLimit) ? [{ processLimit }] : []);
});
