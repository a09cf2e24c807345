import { useEffect, useRef } from "react";
import { pages } from "./pages.ts";
import { useVisit } from "./visit.ts";

const chordMs = 1200;

/** Ctrl or ⌘ K: the palette · `/`: the page's search · `g` and a letter: a page · `?`: the palette, which lists them. */
export function useHotkeys({ openPalette }: { openPalette(): void }): void {
  const visit = useVisit();
  const state = useRef({ visit, openPalette, goAt: 0 });
  state.current.visit = visit;
  state.current.openPalette = openPalette;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const own = state.current;
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        own.openPalette();
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      const page = performance.now() - own.goAt < chordMs ? pages.find(({ key }) => key === event.key) : undefined;
      own.goAt = event.key === "g" ? performance.now() : 0;
      if (page) own.visit(page.path);
      else if (event.key === "/") focusSearch(event);
      else if (event.key === "?") own.openPalette();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  target.closest("input, textarea, select, [contenteditable], .monaco-editor, [role=dialog]") !== null;

function focusSearch(event: KeyboardEvent): void {
  const search = document.querySelector<HTMLInputElement>('[data-hotkey="/"]');
  if (search === null) return;
  event.preventDefault();
  search.focus();
  search.select();
}
