import { test } from "bun:test";

type Body = () => void | Promise<void>;

/** Like `test`, but skipped when there is a reason against it, and the name then says which. */
export function testUnless(reason: string | undefined, name: string, body: Body, timeoutMs?: number): void {
  if (reason === undefined) test(name, body, timeoutMs);
  else test.skip(`${name} (skipped: ${reason})`, body);
}
