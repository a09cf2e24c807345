import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { useEnvironment } from "../../api/environment.ts";
import { usePackages } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Page } from "../../ui/page.tsx";
import { HostChoice } from "./host-choice.tsx";
import { ImportList } from "./import-list.tsx";
import { Output } from "./output.tsx";
import { readDeclarations, typesQuery } from "./types.ts";
import { useHostChoice } from "./use-host-choice.ts";
import { useRun } from "./use-run.ts";
import "./scripts.css";
import { useScript } from "./use-script.ts";
import { useSpecifiers } from "./use-specifiers.ts";

const Editor = lazy(() => import("./editor.tsx"));

/** Write a script with the environment's types, and run it on one of its hosts. */
export function ScriptsPage() {
  const environment = useEnvironment();
  const queries = useQueryClient();
  const [script, setScript] = useScript(environment);
  const specifiers = useSpecifiers(script);
  const index = useQuery(typesQuery(environment, specifiers));
  const declarations = useQuery({
    queryKey: ["declarations", environment, index.data?.packages.map(({ path, bundle }) => path + bundle)],
    queryFn: () => (index.data ? readDeclarations(queries, index.data) : new Map<string, string>()),
    enabled: index.data !== undefined,
    placeholderData: (before: Map<string, string> | undefined) => before,
  });
  const packages = usePackages().data?.packages;
  const names = useMemo(() => packages?.filter(({ enabled }) => enabled).map(({ name }) => name as string) ?? [], [packages]);
  const { host, ...choice } = useHostChoice();
  const mayRun = useMay("run");
  const run = useRun();
  const start = () => {
    if (host && mayRun && !run.isPending) run.mutate({ id: host.id, script });
  };
  return (
    <Page
      title="Scripts"
      summary="What is written here stays in this browser."
      actions={
        <>
          <HostChoice host={host} {...choice} />
          <Button look="primary" icon="play" busy={run.isPending} disabled={!host || !mayRun} title="Ctrl Enter" onClick={start}>
            {run.isPending ? "Running" : "Run"}
          </Button>
        </>
      }
    >
      <div className="playground">
        <section className="card playground-editor" aria-label="Script">
          <Suspense fallback={<p className="soft card-body">The editor is being loaded …</p>}>
            <Editor
              value={script}
              onChange={setScript}
              onRun={start}
              packages={names}
              index={index.data}
              declarations={declarations.data}
            />
          </Suspense>
        </section>
        <div className="stack playground-side">
          <Output run={run} hasHost={host !== undefined} />
          <ImportList query={index} specifiers={specifiers} />
        </div>
      </div>
    </Page>
  );
}
