import type { Operation } from "../../../contract/index.ts";
import { useMay } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { isUnderWay, OperationProgress } from "../../ui/operation-progress.tsx";
import { Ago } from "../../ui/time.tsx";
import { useInstall } from "../../ui/use-install.ts";

export function LatestOperation({ operation }: { operation: Operation }) {
  const mayOperate = useMay("operate");
  const install = useInstall();
  const { error, requestedBy, createdAt, endedAt, attempt } = operation;
  const underWay = isUnderWay(operation);
  return (
    <section className="card" aria-label={underWay ? "Install under way" : "Install that failed"}>
      <div className="card-head">
        <h2 className="grow">{underWay ? "Install under way" : "The last install failed"}</h2>
        <span className="soft">
          {requestedBy}, <Ago at={endedAt ?? createdAt} />
          {attempt > 1 && `, attempt ${attempt}`}
        </span>
      </div>
      <div className="card-body">
        {underWay ? (
          <OperationProgress operation={operation} />
        ) : (
          <ErrorNotice
            error={error}
            action={
              mayOperate && (
                <Button small icon="refresh" busy={install.isPending} onClick={() => install.mutate(undefined)}>
                  Try again
                </Button>
              )
            }
          />
        )}
      </div>
    </section>
  );
}
