import type { ScriptRunner } from "../agent/index.ts";
import type { HostStore } from "../host/index.ts";
import type { RunRequest } from "../runner/index.ts";

/** What an agent runs sent scripts with, ready for the next one; nothing on a host that does not allow them. */
export async function openScriptRunner(
  store: HostStore,
  allowed: boolean,
): Promise<{ options: { runScript?: ScriptRunner } } & AsyncDisposable> {
  if (!allowed) return { options: {}, async [Symbol.asyncDispose]() {} };
  const { createRunner } = await import("../runner/index.ts");
  const runner = createRunner(store, { keepReady: true });
  return {
    options: { runScript: (request) => runner.run(request as RunRequest) },
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  };
}
