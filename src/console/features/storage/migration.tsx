import type { MigrationStatus } from "../../../contract/index.ts";
import { api } from "../../api/client.ts";
import { keys } from "../../api/queries.ts";
import { useMay } from "../../api/session.ts";
import { Bar } from "../../ui/bar.tsx";
import { Button } from "../../ui/button.tsx";
import { count, formatBytes, formatDuration, formatNumber } from "../../ui/format.ts";
import { ErrorNotice } from "../../ui/notice.tsx";
import { useChange } from "../../ui/use-change.ts";

const titles = {
  idle: "",
  running: "Migration under way",
  failed: "The migration stopped",
  cancelled: "The migration was cancelled",
};

export function Migration({ migration }: { migration: MigrationStatus }) {
  const mayAdminister = useMay("administer");
  const stale = [keys.storage, keys.operations];
  const cancel = useChange(() => api.storage.cancelMigration(), { stale, done: () => "Cancelling; what was moved stays moved" });
  const resume = useChange(() => api.storage.resumeMigration({}), { stale, done: () => "The migration goes on" });
  const {
    state,
    target,
    done,
    total,
    doneBytes,
    totalBytes,
    bytesPerSecond,
    remainingMs,
    error,
    hint,
    failures = [],
  } = migration;
  const running = state === "running";
  return (
    <section className="card" aria-label="Migration">
      <div className="card-head">
        <h2 className="grow">
          {titles[state]} {target && <span className="soft">to {target}</span>}
        </h2>
        {mayAdminister &&
          (running ? (
            <Button small icon="stop" busy={cancel.isPending} onClick={() => cancel.mutate(undefined)}>
              Cancel
            </Button>
          ) : (
            <Button small look="primary" icon="play" busy={resume.isPending} onClick={() => resume.mutate(undefined)}>
              Resume
            </Button>
          ))}
      </div>
      <div className="card-body stack">
        <Bar label="Migration" done={doneBytes} total={totalBytes} />
        <p className="spread soft">
          <span>
            {formatNumber(done)} of {count(total, "tarball")}, {formatBytes(doneBytes)} of {formatBytes(totalBytes)}
          </span>
          <span className="num">
            {running && bytesPerSecond ? `${formatBytes(bytesPerSecond)}/s` : ""}
            {running && remainingMs !== undefined ? `, ${formatDuration(remainingMs)} left` : ""}
          </span>
        </p>
        {error && <ErrorNotice error={{ code: failures[0]?.code ?? "", message: error, ...(hint && { hint }) }} />}
        {!running && !error && <p className="soft">What was moved stays moved, and everything is readable meanwhile.</p>}
      </div>
    </section>
  );
}
