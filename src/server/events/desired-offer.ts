import type { DesiredOffer } from "../../contract/index.ts";
import type { CurrentDesired } from "../desired/desired-cache.ts";
import { usualLimits } from "../http/admission.ts";
import { formatEvent } from "./event-stream.ts";

export const offerOf = ({ signed, etag }: CurrentDesired): DesiredOffer => ({ signed, etag });

/** How long so many hosts should take to begin, for a fifth of the reports is left to those that have nothing new. What fits into a second needs no spreading. */
export function spreadOf(hosts: number, reportsPerSecond = usualLimits.reports.perSecond): number {
  const perSecond = reportsPerSecond * 0.8;
  return Math.round((Math.max(0, hosts - perSecond) / perSecond) * 1000);
}

/** What a host hears when its stream begins, encoded once for each desired state. */
export function createGreetings(): { of(current: CurrentDesired): Uint8Array } {
  const known = new WeakMap<CurrentDesired, Uint8Array>();
  return {
    of(current) {
      const before = known.get(current);
      if (before) return before;
      const { environment, generation } = current.signed.desired;
      const bytes = formatEvent({ type: "desired", environment, generation, offer: offerOf(current) });
      known.set(current, bytes);
      return bytes;
    },
  };
}
