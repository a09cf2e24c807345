import { environmentOf } from "../../contract/index.ts";
import { api } from "../api/client.ts";
import { useEnvironment } from "../api/environment.ts";
import { keys, useOperations, usePackages } from "../api/queries.ts";
import { useMay } from "../api/session.ts";
import { Bar } from "../ui/bar.tsx";
import { Button } from "../ui/button.tsx";
import { describeProgress, isUnderWay, operationName } from "../ui/operation-progress.tsx";
import { useChange } from "../ui/use-change.ts";
import { useInstall } from "../ui/use-install.ts";

/** At the top of every page: the long job that is under way, or that an install is due. */
export function Activity() {
  const environment = useEnvironment();
  const mayOperate = useMay("operate");
  const operation = useOperations().data?.find(
    (each) => isUnderWay(each) && (environmentOf(each) ?? environment) === environment,
  );
  const installDue = usePackages().data?.installDue === true;
  const install = useInstall();
  const cancel = useChange((id: string) => api.operations.cancel({ id }), { stale: [keys.operations], done: () => "Cancelling" });
  if (operation) {
    const { progress, state } = operation;
    return (
      <section className="activity" aria-label="Under way">
        <strong>{operationName(operation)}</strong>
        <span className="soft truncate activity-words">
          {state === "queued" ? "waits for its turn" : (progress?.phase ?? "starts")}
        </span>
        <div className="grow">
          <Bar
            label={`${operationName(operation)} under way`}
            done={progress?.doneBytes ?? progress?.done ?? 0}
            total={progress?.totalBytes ?? progress?.total}
          />
        </div>
        <span className="num soft activity-numbers">{progress && describeProgress(progress)}</span>
        {mayOperate && (
          <Button small busy={cancel.isPending} onClick={() => cancel.mutate(operation.id)}>
            Cancel
          </Button>
        )}
      </section>
    );
  }
  if (!installDue) return null;
  return (
    <section className="activity" aria-label="Install due">
      <span className="dot info" aria-hidden="true" />
      <span className="grow">The allowlist has changes that no host has yet.</span>
      {mayOperate && (
        <Button small look="primary" icon="installs" busy={install.isPending} onClick={() => install.mutate(undefined)}>
          Install now
        </Button>
      )}
    </section>
  );
}
