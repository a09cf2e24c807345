import type { InstallResult, Operation, Progress } from "../contract/index.ts";

/** What an operation may use while it runs. */
export interface OperationRun {
  operation: Operation;
  /** Every durable write says `where epoch = this`. */
  epoch: number;
  /** Aborts when the operation is cancelled, the election is lost, or the process stops. */
  signal: AbortSignal;
  /** Cheap to call often: what others see is throttled. */
  report(progress: Progress): void;
}

/** Runs one operation to its end. Throws `LarderError`; a throw changes nothing that hosts see. */
export type OperationHandler = (run: OperationRun) => Promise<InstallResult>;
