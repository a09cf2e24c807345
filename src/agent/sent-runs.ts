import { availableParallelism } from "node:os";
import { LarderError, type RunOutcome, type RunRequestBody, type RunResult } from "../contract/for-hosts.ts";
import { backoffMs, type Logger, sleep } from "../lib/index.ts";
import type { ControlPlane } from "./control-plane.ts";

/** What runs a script on this host; throws a `LarderError` when it does not start. */
export type ScriptRunner = (request: RunRequestBody & { signal: AbortSignal }) => Promise<RunResult>;

/** Scripts that the control plane's users send to this host. */
export interface SentRuns {
  /** Takes what waits, as far as there is room. */
  look(): void;
  /** When those under way have ended, which they soon do once the agent is stopped. */
  ended(): Promise<void>;
}

export interface SentRunsOptions {
  controlPlane: ControlPlane;
  /** Absent: each is refused. */
  runScript: ScriptRunner | undefined;
  logger: Logger;
  signal: AbortSignal;
}

const atOnce = 4 * availableParallelism();
const maxAnswerBytes = 7 * 1024 * 1024;
const tries = 5;

export function createSentRuns({ controlPlane, runScript, logger, signal }: SentRunsOptions): SentRuns {
  const underWay = new Set<Promise<void>>();
  let looking = false;
  let lookAgain = false;

  const look = async () => {
    if (looking || signal.aborted) {
      lookAgain = true;
      return;
    }
    looking = true;
    try {
      do {
        lookAgain = false;
        const room = atOnce - underWay.size;
        if (room < 1) break;
        const claimed = await controlPlane.claimRuns(room, signal);
        for (const run of claimed) start(run);
        if (claimed.length === room) lookAgain = true;
      } while (lookAgain);
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, "could not take a script that was sent here; it will be offered again");
    } finally {
      looking = false;
    }
  };

  const start = ({ id, request }: { id: string; request: RunRequestBody }) => {
    const run = serve(id, request).finally(() => {
      underWay.delete(run);
      if (!signal.aborted) void look();
    });
    underWay.add(run);
  };

  const serve = async (id: string, request: RunRequestBody) => {
    const outcome = bounded(await outcomeOf(request));
    for (let attempt = 1; ; attempt++) {
      try {
        // Also when the agent is being stopped: somebody waits.
        await controlPlane.finishRun(id, outcome);
        return;
      } catch (error) {
        const { retryable } = LarderError.from(error);
        if (!retryable || attempt === tries || signal.aborted) {
          logger.warn({ err: error, run: id }, "could not say what came of a script");
          return;
        }
        await sleep(backoffMs(attempt, { baseMs: 200, maxMs: 5000 }), signal).catch(() => undefined);
      }
    }
  };

  const outcomeOf = async (request: RunRequestBody): Promise<RunOutcome> => {
    if (runScript === undefined) return { error: notAllowed().toBody() };
    try {
      return { result: await runScript({ ...request, signal }) };
    } catch (error) {
      return { error: LarderError.from(error).toBody() };
    }
  };

  return {
    look: () => void look(),
    async ended() {
      await Promise.all(underWay);
    },
  };
}

const notAllowed = (): LarderError =>
  new LarderError("E_RUNS_NOT_ALLOWED", "This host does not run scripts that are sent to it.", {
    hint: "Who operates the host can allow it: larder agent --allow-runs true",
  });

/** An answer has to fit into one request. */
function bounded(outcome: RunOutcome): RunOutcome {
  if (Buffer.byteLength(JSON.stringify(outcome)) <= maxAnswerBytes) return outcome;
  return {
    error: new LarderError("E_RUN_LIMIT", `What the script returned and printed is larger than ${maxAnswerBytes} bytes.`, {
      hint: "Return less, or write it to where the caller can read it.",
    }).toBody(),
  };
}
