import type { RunResult } from "../../../contract/index.ts";
import { Badge } from "../../ui/badge.tsx";
import { formatDuration } from "../../ui/format.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import type { Run } from "./use-run.ts";

export function Output({ run, hasHost }: { run: Run; hasHost: boolean }) {
  return (
    <section className="card" aria-label="Output" aria-busy={run.isPending}>
      <div className="card-head">
        <h2 className="grow">Output</h2>
        {run.data && <Facts result={run.data} />}
      </div>
      <div className="card-body stack" aria-live="polite">
        {run.isPending && <p className="soft">Runs on {run.variables.id} …</p>}
        {run.isError && <ErrorNotice error={run.error} />}
        {run.data && !run.isPending && <Outcome result={run.data} />}
        {run.isIdle && (
          <p className="soft">
            {hasHost
              ? "What the script prints, and its default export, come here. Ctrl Enter runs it."
              : "There is no host in this environment to run it on. Enrol one on the page Hosts."}
          </p>
        )}
      </div>
    </section>
  );
}

const Facts = ({ result: { error, durationMs, generation, runtime } }: { result: RunResult }) => (
  <span className="row soft">
    <Badge tone={error ? "bad" : "good"}>{error ? "failed" : "ok"}</Badge>
    {formatDuration(durationMs)} · {runtime} · generation {generation}
  </span>
);

function Outcome({ result }: { result: RunResult }) {
  const { error, warnings, stdout, stderr, outputTruncated } = result;
  return (
    <>
      {error && <ErrorNotice error={error} />}
      <Stream label="Result" text={error ? "" : JSON.stringify(result.result, undefined, 2)} />
      <Stream label="Printed" text={stdout} />
      <Stream label="Printed as errors" text={stderr} />
      {outputTruncated && <Notice tone="warn">There was more output than is kept.</Notice>}
      {warnings.map(({ code, message }) => (
        <Notice key={code + message} tone="warn">
          {message}
        </Notice>
      ))}
    </>
  );
}

const Stream = ({ label, text }: { label: string; text: string | undefined }) =>
  text ? (
    <div className="stream">
      <h3>{label}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard must reach it. */}
      <pre tabIndex={0}>{text}</pre>
    </div>
  ) : null;
