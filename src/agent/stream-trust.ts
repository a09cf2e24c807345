/** Whether a host may go by its stream of events, and ask less often. */
export interface StreamTrust {
  opened(): void;
  /** Anything came, be it a heartbeat. */
  heard(): void;
  ended(): void;
  /** An event told of this generation. */
  told(generation: number): void;
  /** This is what the host has after it asked. */
  found(generation: number): void;
  /** It has lived for a while, was heard of lately, and told of all that asking has found. */
  isEarned(): boolean;
}

/** More than the control plane's first words, which come at once: a heartbeat of its own. */
const provenAfterMs = 10_000;
/** Two heartbeats and a half. */
const silentAfterMs = 40_000;

/** One that something in between holds back is told by what it does not tell: then asking finds more than it has told. */
export function createStreamTrust(now: () => number = () => performance.now()): StreamTrust {
  let openedAt: number | undefined;
  let heardAt = Number.NEGATIVE_INFINITY;
  let toldOf = 0;
  let foundOf = 0;
  return {
    opened() {
      openedAt = now();
    },
    heard() {
      heardAt = now();
    },
    ended() {
      openedAt = undefined;
    },
    told(generation) {
      toldOf = Math.max(toldOf, generation);
    },
    found(generation) {
      foundOf = generation;
    },
    isEarned() {
      if (openedAt === undefined || foundOf > toldOf) return false;
      return heardAt - openedAt >= provenAfterMs && now() - heardAt < silentAfterMs;
    },
  };
}
