import { useEffect, useRef, useState } from "react";
import { findImports } from "./find-imports.ts";

/** Long enough not to ask for every letter of a name. */
const pauseMs = 300;

/** The modules that a script names, each once, a moment after it was last changed. */
export function useSpecifiers(script: string): string[] {
  const [specifiers, setSpecifiers] = useState(() => specifiersOf(script));
  const before = useRef(specifiers);
  useEffect(() => {
    const timer = setTimeout(() => {
      const now = specifiersOf(script);
      if (now.join("\n") === before.current.join("\n")) return;
      before.current = now;
      setSpecifiers(now);
    }, pauseMs);
    return () => clearTimeout(timer);
  }, [script]);
  return specifiers;
}

const specifiersOf = (script: string): string[] => [...new Set(findImports(script).map(({ specifier }) => specifier))].sort();
