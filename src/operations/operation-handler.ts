import type { OperationKind, OperationOf, OperationResult, Progress } from "../contract/index.ts";

/** What an operation may use while it runs. */
export interface OperationRun<Kind extends OperationKind = "install"> {
  operation: OperationOf<Kind>;
  /** Every durable write says `where epoch = this`. */
  epoch: number;
  /** Aborts when the operation is cancelled, the election is lost, or the process stops. */
  signal: AbortSignal;
  /** Cheap to call often: what others see is throttled. */
  report(progress: Progress): void;
}

/** Runs one operation to its end. Throws `LarderError`; a throw changes nothing that hosts see. */
export type OperationHandler<Kind extends OperationKind = "install"> = (
  run: OperationRun<Kind>,
) => Promise<OperationResult<Kind>>;

export type OperationHandlers = { [Kind in OperationKind]?: OperationHandler<Kind> };
