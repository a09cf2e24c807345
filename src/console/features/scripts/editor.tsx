import { useEffect, useRef } from "react";
import type { TypesIndex } from "../../../contract/index.ts";
import { findImports } from "./find-imports.ts";
import { monaco, setDeclarations } from "./monaco.ts";
import { describeStatus, isMissing } from "./status.ts";

export interface EditorProps {
  value: string;
  onChange(value: string): void;
  onRun(): void;
  /** What the allowlist offers, to complete between the quotes. */
  packages: string[];
  index: TypesIndex | undefined;
  declarations: ReadonlyMap<string, string> | undefined;
}

/** The editor with TypeScript's own knowledge, and a mark on each import that this environment does not have. */
export default function Editor(props: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const model = monaco.editor.createModel(latest.current.value, "typescript", monaco.Uri.parse("file:///script.ts"));
    const editor = monaco.editor.create(place.current as HTMLDivElement, { ...options, model });
    editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter, () => latest.current.onRun());
    const change = model.onDidChangeContent(() => latest.current.onChange(model.getValue()));
    const names = monaco.languages.registerCompletionItemProvider(
      "typescript",
      nameProvider(() => latest.current.packages),
    );
    editor.focus();
    return () => {
      for (const each of [names, change, editor, model]) each.dispose();
    };
  }, []);
  useEffect(() => {
    if (props.declarations) setDeclarations(props.declarations);
  }, [props.declarations]);
  const { value, index } = props;
  useEffect(() => {
    const model = monaco.editor.getModel(monaco.Uri.parse("file:///script.ts"));
    if (model) monaco.editor.setModelMarkers(model, "larder", markersOf(model, value, index));
  }, [value, index]);
  return <div ref={place} className="editor" data-testid="editor" />;
}

const options: monaco.editor.IStandaloneEditorConstructionOptions = {
  ariaLabel: "Script. Ctrl M lets Tab leave the editor.",
  automaticLayout: true,
  fontSize: 13,
  lineHeight: 20,
  fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
  minimap: { enabled: false },
  scrollBeyondLastLine: false,
  overviewRulerLanes: 0,
  renderLineHighlight: "line",
  padding: { top: 12, bottom: 12 },
  tabSize: 2,
  wordWrap: "on",
  fixedOverflowWidgets: true,
  scrollbar: { alwaysConsumeMouseWheel: false },
};

function markersOf(model: monaco.editor.ITextModel, value: string, index: TypesIndex | undefined): monaco.editor.IMarkerData[] {
  return findImports(value).flatMap(({ specifier, start, end }) => {
    const found = index?.specifiers.find((each) => each.specifier === specifier);
    if (found === undefined || !isMissing(found.status)) return [];
    const [from, to] = [model.getPositionAt(start), model.getPositionAt(end)];
    return {
      severity: found.status === "noTypes" ? monaco.MarkerSeverity.Info : monaco.MarkerSeverity.Error,
      message: [describeStatus(found), found.hint].filter(Boolean).join("\n"),
      source: "larder",
      startLineNumber: from.lineNumber,
      startColumn: from.column,
      endLineNumber: to.lineNumber,
      endColumn: to.column,
    };
  });
}

const nameProvider = (packages: () => string[]): monaco.languages.CompletionItemProvider => ({
  triggerCharacters: ['"', "'", "/"],
  provideCompletionItems(model, position) {
    const before = model.getLineContent(position.lineNumber).slice(0, position.column - 1);
    const typed = /(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']*)$/.exec(before)?.[1];
    if (typed === undefined) return { suggestions: [] };
    const range = new monaco.Range(position.lineNumber, position.column - typed.length, position.lineNumber, position.column);
    return {
      suggestions: packages().map((name) => ({
        label: name,
        kind: monaco.languages.CompletionItemKind.Module,
        insertText: name,
        range,
      })),
    };
  },
});
