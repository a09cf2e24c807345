import { expect, test } from "bun:test";
import { LarderError } from "../contract/index.ts";
import { createSeldomLog } from "./log-seldom.ts";

test("the same error is logged once and then seldom, another one at once, and after a success it is news", () => {
  const lines: unknown[] = [];
  let at = 0;
  const write = (facts: object | string) => void lines.push((facts as { sameBefore?: number }).sameBefore ?? "new");
  const log = createSeldomLog({ warn: write, error: write }, () => at);
  const fail = (message: string) => log.say("error", { err: new LarderError("E_UNAUTHENTICATED", message) }, "failed");
  for (at = 0; at < 3_600_000; at += 2000) fail(`refused at ${at}`);
  expect(lines).toEqual(["new", 29, 59, 119, 239, 479]);
  fail("refused by another");
  expect(lines).toHaveLength(7);
  log.forget();
  fail("refused at 1");
  expect(lines.slice(6)).toEqual(["new", "new"]);
});
