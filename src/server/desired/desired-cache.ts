import { createHash } from "node:crypto";
import type { EnvironmentName, SignedDesiredState } from "../../contract/index.ts";
import type { Db } from "../../db/index.ts";
import type { Clock } from "../../lib/index.ts";
import type { Notice } from "../events/notice.ts";
import type { Signer } from "../signing/signer.ts";
import { readDesiredState } from "./read-desired-state.ts";

export interface CurrentDesired {
  signed: SignedDesiredState;
  /** The JSON as served. */
  body: string;
  etag: string;
}

/** Each environment's desired state, ready to send. At most one question to the database per environment and second. */
export interface DesiredCache {
  current(environment: EnvironmentName): Promise<CurrentDesired | undefined>;
  /** A new generation is served from the next call on. */
  notice(notice: Notice): void;
}

/** A lost notice costs this long. */
const recheckMs = 1000;

interface Entry {
  current: CurrentDesired | undefined;
  checkedAt: number;
}

export function createDesiredCache(options: { db: Db; signer: Signer; clock: Clock }): DesiredCache {
  const entries = new Map<EnvironmentName, Entry>();
  const reading = new Map<EnvironmentName, Promise<CurrentDesired | undefined>>();
  let notices = 0;

  const read = async (environment: EnvironmentName): Promise<CurrentDesired | undefined> => {
    const [startedAt, noticesBefore] = [performance.now(), notices];
    const signed = await readDesiredState(environment, options);
    const known = entries.get(environment)?.current;
    const current = signed === undefined ? undefined : signed.signature === known?.signed.signature ? known : toCurrent(signed);
    // What was read may be older than a notice that came meanwhile.
    if (notices === noticesBefore) entries.set(environment, { current, checkedAt: startedAt });
    return current;
  };

  return {
    async current(environment) {
      const entry = entries.get(environment);
      // The monotonic clock: a wall clock that jumps must not freeze this.
      if (entry && performance.now() - entry.checkedAt < recheckMs) return entry.current;
      const underWay = reading.get(environment);
      if (underWay) return await underWay;
      const started = read(environment);
      reading.set(environment, started);
      try {
        return await started;
      } finally {
        if (reading.get(environment) === started) reading.delete(environment);
      }
    },
    notice(notice) {
      if (notice.type === "resumed") {
        notices++;
        entries.clear();
        reading.clear();
      }
      if (notice.type !== "desired") return;
      notices++;
      entries.delete(notice.environment);
      reading.delete(notice.environment);
    },
  };
}

function toCurrent(signed: SignedDesiredState): CurrentDesired {
  const body = JSON.stringify(signed);
  return { signed, body, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"` };
}
