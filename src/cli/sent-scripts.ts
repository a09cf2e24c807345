import type { ScriptRunner } from "../agent/index.ts";
import type { HostStore } from "../host/index.ts";
import type { Logger } from "../lib/index.ts";
import type { Runner, RunRequest } from "../runner/index.ts";

/** What an agent runs sent scripts with, ready for the next one; nothing on a host that does not allow them. */
export async function openScriptRunner(
  store: HostStore,
  { allowed, logger }: { allowed: boolean; logger: Logger },
): Promise<{ options: { runScript?: ScriptRunner } } & AsyncDisposable> {
  if (!allowed) return { options: {}, async [Symbol.asyncDispose]() {} };
  const { createRunner } = await import("../runner/index.ts");
  const runner = createRunner(store, { keepReady: true });
  await warnOfForks(runner, logger);
  return {
    options: { runScript: (request) => runner.run(request as RunRequest) },
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  };
}

/** Whoever lets others send scripts should know when a fork bomb among them could take the machine. */
export async function warnOfForks(runner: Pick<Runner, "confinement">, logger: Pick<Logger, "warn">): Promise<void> {
  // On a disk that refuses, the first run says what is in the way.
  const { processLimit } = (await runner.confinement().catch(() => undefined)) ?? {};
  if (processLimit !== "sampled" && processLimit !== "none") return;
  logger.warn(
    { processLimit },
    "the kernel limits no script's number of processes here; SECURITY.md, Fork bombs, says what would",
  );
}
