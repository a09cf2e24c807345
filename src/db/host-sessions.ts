import type { AgentSession, SeenSession } from "../contract/index.ts";

const kept = 6;

/** How often a session must come back after another took over. Once may be a report that was long on its way. */
const returnsOfClone = 2;

export type NotedSession = { kind: "stale" } | { kind: "noted"; sessions: SeenSession[]; cloned: boolean };

/**
 * What is known of the agents that use a host's key, after one more report. An agent that was restarted never reports again: two that take turns are two
 * machines with one key. `stale`: a report that is here already, or one before it.
 */
export function noteSession(sessions: readonly SeenSession[], reported: AgentSession, at: string): NotedSession {
  const known = sessions.find(({ id }) => id === reported.id);
  if (known && reported.sequence <= known.sequence) return { kind: "stale" };
  const returns = (known?.returns ?? 0) + (known && known !== sessions[0] ? 1 : 0);
  const noted: SeenSession = { ...reported, firstSeenAt: known?.firstSeenAt ?? at, lastSeenAt: at, returns };
  return {
    kind: "noted",
    sessions: [noted, ...sessions.filter(({ id }) => id !== reported.id)].slice(0, kept),
    cloned: known !== undefined && known !== sessions[0] && returns >= returnsOfClone,
  };
}
