import { count } from "./quantity.ts";

/** Of hosts that were not waited for. `undefined` when there were none. */
export const describeLeftOut = (silent: number): string | undefined =>
  silent === 0
    ? undefined
    : `${count(silent, "host is", "hosts are")} silent and ${silent === 1 ? "follows when it is" : "follow when they are"} back.`;
