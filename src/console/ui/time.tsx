import { useEffect, useState } from "react";
import { formatAge, formatMoment } from "./format.ts";

/** How long ago, kept right while one looks at it; the exact time when one points at it. */
export function Ago({ at, suffix = " ago" }: { at: string; suffix?: string }) {
  useTick();
  const age = formatAge(at);
  return (
    <time dateTime={at} title={formatMoment(at)}>
      {age === "0 s" && suffix ? "just now" : `${age}${suffix}`}
    </time>
  );
}

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One timer for all that show an age. */
function useTick(): void {
  const [, render] = useState(0);
  useEffect(() => {
    const listener = () => render((n) => n + 1);
    listeners.add(listener);
    timer ??= setInterval(() => {
      for (const each of listeners) each();
    }, 5000);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
}
