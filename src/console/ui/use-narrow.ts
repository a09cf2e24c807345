import { useSyncExternalStore } from "react";

const query = matchMedia("(max-width: 720px)");

/** The same width at which the style sheets turn. */
export const useNarrow = (): boolean =>
  useSyncExternalStore(
    (onChange) => {
      query.addEventListener("change", onChange);
      return () => query.removeEventListener("change", onChange);
    },
    () => query.matches,
  );
