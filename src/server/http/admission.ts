import { LarderError } from "../../contract/index.ts";

/** What hosts ask for, apart: a herd that comes back for one leaves room for the others, and for people. */
type Traffic = "checkIn" | "reports" | "blobs" | "joining";

interface TrafficLimit {
  perSecond: number;
  /** At once, after a quiet time. Grows with `perSecond` when absent. */
  burst?: number;
}
/** What is absent is as usual. */
export type TrafficLimits = Partial<Record<Traffic, TrafficLimit>>;

/** Of one replica. A check-in takes a tenth of a millisecond of a processor, a report four: at these rates together a herd leaves some of it to others. */
export const usualLimits: Record<Traffic, Required<TrafficLimit>> = {
  checkIn: { perSecond: 4000, burst: 4000 },
  reports: { perSecond: 1000, burst: 1000 },
  blobs: { perSecond: 1000, burst: 2000 },
  joining: { perSecond: 50, burst: 200 },
};

const trafficOf: Record<string, Traffic> = {
  join: "joining",
  blob: "blobs",
  blobs: "blobs",
  self: "checkIn",
  desired: "checkIn",
  manifest: "checkIn",
  "hosts.report": "reports",
  "hosts.claimRuns": "checkIn",
};

const longestWaitSeconds = 60;

export interface Admission {
  /** By a route's name. Throws `E_OVERLOADED` with the time after which there is room: those that are refused get one place each, one behind the other. */
  admit(routeName: string): void;
}

export function createAdmission(limits: TrafficLimits = {}, nowMs: () => number = () => performance.now()): Admission {
  const buckets = new Map<Traffic, { used: number; promised: number; at: number }>();
  return {
    admit(routeName) {
      const traffic = trafficOf[routeName];
      if (traffic === undefined) return;
      const { perSecond, burst } = limitOf(traffic, limits);
      const now = nowMs();
      const before = buckets.get(traffic) ?? { used: 0, promised: 0, at: now };
      const passed = ((now - before.at) / 1000) * perSecond;
      const bucket = { used: Math.max(0, before.used - passed), promised: Math.max(0, before.promised - passed), at: now };
      buckets.set(traffic, bucket);
      if (bucket.used + 1 <= burst) {
        bucket.used += 1;
        return;
      }
      bucket.promised += 1;
      throw overloaded(Math.min(longestWaitSeconds, Math.max(1, Math.ceil(bucket.promised / perSecond))));
    },
  };
}

function limitOf(traffic: Traffic, limits: TrafficLimits): Required<TrafficLimit> {
  const { perSecond, burst } = usualLimits[traffic];
  const asked = limits[traffic] ?? usualLimits[traffic];
  return { perSecond: asked.perSecond, burst: asked.burst ?? Math.ceil((asked.perSecond * burst) / perSecond) };
}

const overloaded = (seconds: number): LarderError =>
  new LarderError("E_OVERLOADED", "Too many hosts ask for this at once.", {
    hint: `Ask again in ${seconds} s; agents do so by themselves.`,
    retryable: true,
    details: { retryAfterSeconds: seconds },
  });
