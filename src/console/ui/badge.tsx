import type { ReactNode } from "react";

export type Tone = "good" | "warn" | "bad" | "info" | "none";

export const Badge = ({ tone = "none", children }: { tone?: Tone; children: ReactNode }) => (
  <span className={`badge ${tone}`}>{children}</span>
);

/** A dot beside the word for it: colour never says it alone. */
export const Dot = ({ tone, moving = false }: { tone: Tone; moving?: boolean }) => (
  <span className={`dot ${tone} ${moving ? "moving" : ""}`} aria-hidden="true" />
);
